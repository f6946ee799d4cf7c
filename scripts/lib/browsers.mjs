// Finds Chromium and Firefox for the tests; installs Debian's where they are missing and we may.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
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

/**
 * The browsers as environment variables, CHROME_PATH and FIREFOX_PATH.
 * @returns {Promise<Record<string, string> | undefined>} undefined when one is missing and can't be installed; then a line says what to do
 */
export async function findBrowsers() {
  const isMissing = (part) => !find(part);
  const missing = [...BROWSERS, DECODER].filter(isMissing);
  if (missing.length > 0 && isRootOnDebian()) await install(missing.map(({ debian }) => debian));
  if (isMissing(DECODER))
    console.error(`Firefox will play no H.264 without ${DECODER.name}: install ${DECODER.debian}.`);
  const absent = BROWSERS.filter(isMissing);
  if (absent.length === 0) return Object.fromEntries(BROWSERS.map((browser) => [browser.variable, find(browser)]));
  const hints = absent.map(
    ({ name, variable, debian }) => `${name} (on Debian: apt install ${debian}; elsewhere set ${variable})`,
  );
  console.error(`The tests need ${hints.join(' and ')}.`);
  return undefined;
}

function find({ variable, commands, paths, library }) {
  if (library) return hasLibrary(library);
  const named = process.env[variable];
  if (named) return isExecutable(named) ? named : undefined;
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/usr/local/bin', '/snap/bin'].filter(
    Boolean,
  );
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
