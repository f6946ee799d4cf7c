// Finds Chromium, Firefox and the servers that tests start; installs Debian's where they are missing and we may.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run } from './run.mjs';

const BROWSERS = [
  {
    name: 'Chromium',
    variable: 'CHROME_PATH',
    debian: 'chromium',
    commands: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
    paths: [
      '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
      '/Applications/Chromium.app/Contents/MacOS/Chromium',
    ],
  },
  {
    name: 'Firefox',
    variable: 'FIREFOX_PATH',
    debian: 'firefox-esr',
    commands: ['firefox-esr', 'firefox'],
    paths: ['/Applications/Firefox.app/Contents/MacOS/firefox'],
  },
];

/** Debian's Firefox only recommends what it decodes H.264 with, so it may be missing where Firefox is not. */
const DECODER = { name: "FFmpeg's libavcodec", debian: 'libavcodec-extra', library: 'libavcodec.so' };

/** Tests that need one of these are skipped where it is missing, and say so. */
const SERVERS = [
  { name: 'coturn', debian: 'coturn', commands: ['turnserver'] },
  { name: 'Redis', debian: 'redis-server', commands: ['redis-server'] },
  { name: 'nginx', debian: 'nginx', commands: ['nginx'] },
  { name: 'Caddy', debian: 'caddy', commands: ['caddy'] },
  { name: 'iproute2', debian: 'iproute2', commands: ['ip'] },
  { name: 'systemd-nspawn', debian: 'systemd-container', commands: ['systemd-nspawn'] },
];

/** Asked by Debian's packages whether they may start what they bring (invoke-rc.d(8)); 101 is no. */
const SERVICE_POLICY = '/usr/sbin/policy-rc.d';

/**
 * The browsers as environment variables, CHROME_PATH and FIREFOX_PATH.
 * @returns {Promise<Record<string, string> | undefined>} undefined when one is missing and can't be installed; then a line says what to do
 */
export async function findBrowsers() {
  const isMissing = (part) => !find(part);
  // By themselves, so that a server which can't be had is in no browser's way.
  for (const group of [[...BROWSERS, DECODER], SERVERS]) {
    const missing = group.filter(isMissing);
    if (missing.length === 0 || !isRootOnDebian()) continue;
    await install(missing.map(({ debian }) => debian));
    // apt takes all or none: one that it does not know is in no other's way either
    if (missing.length > 1) for (const part of missing.filter(isMissing)) await install([part.debian]);
  }
  if (isMissing(DECODER))
    console.error(`Firefox will play no H.264 without ${DECODER.name}: install ${DECODER.debian}.`);
  for (const { name, debian } of SERVERS.filter(isMissing))
    console.error(`Tests with ${name} are skipped: it is not installed (on Debian: apt install ${debian}).`);
  const absent = BROWSERS.filter(isMissing);
  if (absent.length === 0) return Object.fromEntries(BROWSERS.map((browser) => [browser.variable, find(browser)]));
  const hints = absent.map(
    ({ name, variable, debian }) => `${name} (on Debian: apt install ${debian}; elsewhere set ${variable})`,
  );
  console.error(`The tests need ${hints.join(' and ')}.`);
  return undefined;
}

function find({ variable, commands, paths = [], library }) {
  if (library) return hasLibrary(library);
  const named = variable && process.env[variable];
  if (named) return isExecutable(named) ? named : undefined;
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    '/usr/bin',
    '/usr/local/bin',
    '/usr/sbin',
    '/snap/bin',
  ].filter(Boolean);
  return [...commands.flatMap((command) => folders.map((folder) => join(folder, command))), ...paths].find(
    isExecutable,
  );
}

/** True where nobody can tell: not on Linux. */
function hasLibrary(name) {
  const { stdout } = spawnSync('ldconfig', ['-p'], { encoding: 'utf8', env: { PATH: '/sbin:/usr/sbin' } });
  return process.platform !== 'linux' || !stdout || stdout.includes(name);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const isRootOnDebian = () =>
  process.getuid?.() === 0 &&
  existsSync('/etc/debian_version') &&
  readFileSync('/etc/os-release', 'utf8').includes('debian');

async function install(packages) {
  // Tests start servers of their own: none is to listen on this machine's ports because a package has come.
  const allowServices = forbidServices();
  try {
    await installAtOnce(packages);
  } finally {
    allowServices();
  }
}

/** @returns takes it back; a policy that is there already stays */
function forbidServices() {
  if (existsSync(SERVICE_POLICY)) return () => undefined;
  const allow = () => rmSync(SERVICE_POLICY, { force: true });
  writeFileSync(SERVICE_POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  process.once('exit', allow);
  return allow;
}

async function installAtOnce(packages) {
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  console.log(`Installing ${packages.join(' and ')} …`);
  for (let attempt = 1; attempt <= 2; attempt++) {
    await run('apt-get', ['update', '-qq'], { env, quiet: true });
    const { code, output } = await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], {
      env,
      quiet: true,
    });
    if (code === 0) return;
    console.error(`apt-get failed (attempt ${attempt}):\n${output.slice(-2000)}`);
  }
}
