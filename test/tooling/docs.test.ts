import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { freePort } from '../harness/free-port.ts';
import { FIXTURE_MEDIA, ROOT } from '../harness/serve.ts';
import { until } from '../harness/until.ts';
import { exampleConfig } from '../deploy/support.ts';
import { operatingCommand } from './operating-commands.ts';

const run = promisify(execFile);

const COPY_KIT = 'cp -r node_modules/p2p-elements/dist/browser/. public/p2p-elements';
const COPY_SERVICE_WORKER = 'cp node_modules/p2p-elements/dist/browser/p2p-sw.js public/';

const TURN =
  'npx p2p-elements serve --port 8085 --stun stun:turn.example:3478 --turn turn:turn.example:3478 --turn-secret-file turn-secret';

const ADMITTED = 'npx p2p-elements serve --media media --origins https://school.example --auth-secret-file secret';
const TOKEN =
  "npx p2p-elements token --auth-secret-file secret --swarms 'https://school.example*' --subject anna --expires 1h --peers 3";

/** How each command of the docs is tried. One that is not here fails the test. */
const TRIED: Readonly<Record<string, (t: TestContext) => Promise<void>>> = {
  'npm ci && npm test': async () => assert.match(await readFile(`${ROOT}.ci/run`, 'utf8'), /^npm ci\nnpm test$/m),
  'npm ci && npm start': (t) => answers(t, 'npm', ['start', '--']),
  'npm start -- --port 8081 --media demo/media': (t) => answers(t, 'npm', ['start', '--', '--media', 'demo/media']),
  'npx p2p-elements serve --port 8082 --media media': (t) =>
    answers(t, 'node', [CLI, 'serve', '--media', FIXTURE_MEDIA]),
  'npx p2p-elements serve --config p2p.json --holdout 1% --drain-seconds 30': config,
  'npx p2p-elements serve --port 8083 --digest-origins https://cdn.example --digest-cache digests': async (t) => {
    const cache = await mkdtemp(join(tmpdir(), 'p2p-docs-'));
    t.after(() => rm(cache, { recursive: true }));
    await answers(t, 'node', [CLI, 'serve', '--digest-origins', 'https://cdn.example', '--digest-cache', cache]);
  },
  'npx p2p-elements serve --help': help,
  'npx p2p-elements serve --port 8083 --trust-proxy 1': (t) => answers(t, 'node', [CLI, 'serve', '--trust-proxy', '1']),
  'npx p2p-elements serve --port 8084 --trust-proxy 10.0.0.0/8,192.0.2.80': (t) =>
    answers(t, 'node', [CLI, 'serve', '--trust-proxy', '10.0.0.0/8,192.0.2.80']),
  'openssl rand -hex 32 > secret': async (t) =>
    assert.match(await readFile(await turnSecret(t), 'utf8'), /^[0-9a-f]{64}$/m),
  [ADMITTED]: async (t) => {
    const flags = ['--origins', 'https://school.example', '--auth-secret-file', await turnSecret(t)];
    await answers(t, 'node', [CLI, 'serve', '--media', FIXTURE_MEDIA, ...flags]);
  },
  [TOKEN]: async (t) => {
    const words = TOKEN.replace('npx p2p-elements ', '').replaceAll("'", '').split(' ');
    const args = words.with(words.indexOf('secret'), await turnSecret(t));
    const { stdout } = await run('node', [CLI, ...args], { cwd: ROOT });
    assert.match(stdout, /^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  },
  'openssl rand -hex 32 > turn-secret': async (t) =>
    assert.match(await readFile(await turnSecret(t), 'utf8'), /^[0-9a-f]{64}$/m),
  [TURN]: async (t) => {
    const flags = TURN.replace(/^.*--port 8085 /, '').split(' ');
    await answers(t, 'node', [CLI, 'serve', '--media', FIXTURE_MEDIA, ...flags.with(-1, await turnSecret(t))]);
  },
  'npx p2p-elements manifest public --tag-playlists': manifest,
  [COPY_KIT]: (t) => copies(t, COPY_KIT, 'public/p2p-elements'),
  [COPY_SERVICE_WORKER]: (t) => copies(t, COPY_SERVICE_WORKER, 'public/p2p-sw.js'),
};

/** What `npx p2p-elements` runs; that npx finds it in an installed package is shown by the scenario of the package. */
const CLI = 'dist/cli.js';

async function commands(): Promise<string[]> {
  const names = (await readdir(`${ROOT}docs`, { recursive: true })).filter((name) => name.endsWith('.md'));
  const pages = await Promise.all(
    [`${ROOT}README.md`, ...names.map((name) => `${ROOT}docs/${name}`)].map((file) => readFile(file, 'utf8')),
  );
  return pages.flatMap((page) =>
    [...page.matchAll(/^```sh\n([^]*?)^```$/gm)].flatMap(([, block = '']) => block.trim().split('\n')),
  );
}

/** Starts the server as the docs say, on a port that is free, and sees it answer and end. */
async function answers(t: TestContext, command: string, args: readonly string[]): Promise<void> {
  const port = await freePort();
  const child = spawn(command, [...args, '--port', String(port)], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  const exited = once(child, 'exit');
  t.after(
    () =>
      child.pid !== undefined &&
      child.exitCode === null &&
      child.signalCode === null &&
      process.kill(-child.pid, 'SIGKILL'),
  );
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const up = async (): Promise<boolean> => (await fetch(`http://localhost:${port}/healthz`)).ok;
  await until('the server answers', up, { timeout: 120_000 });
  assert.match(output, new RegExp(`http://localhost:${port}`));
  assert.ok(child.pid !== undefined);
  process.kill(-child.pid, 'SIGTERM');
  await exited;
}

/** Made as the docs say. @returns its path */
async function turnSecret(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'p2p-docs-'));
  t.after(() => rm(directory, { recursive: true }));
  await run('sh', ['-c', 'openssl rand -hex 32 > turn-secret'], { cwd: directory });
  return join(directory, 'turn-secret');
}

async function manifest(t: TestContext): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'p2p-docs-'));
  t.after(() => rm(directory, { recursive: true }));
  await cp(`${FIXTURE_MEDIA}/map.png`, join(directory, 'map.png'));
  const child = spawn('node', [CLI, 'manifest', directory, '--tag-playlists'], { cwd: ROOT, stdio: 'ignore' });
  assert.deepEqual(await once(child, 'exit'), [0, null]);
  assert.ok((await stat(join(directory, 'p2p-manifest.json'))).size > 0);
}

/** With the example that the README names. */
async function config(t: TestContext): Promise<void> {
  assert.match(await readFile(`${ROOT}README.md`, 'utf8'), /\(deploy\/etc\/p2p\.json\)/);
  const directory = await mkdtemp(join(tmpdir(), 'p2p-docs-'));
  t.after(() => rm(directory, { recursive: true }));
  const file = join(directory, 'p2p.json');
  const { host, ...example } = await exampleConfig();
  assert.equal(host, '127.0.0.1', 'what is left out so that it can be asked by its name');
  await writeFile(file, JSON.stringify({ ...example, media: FIXTURE_MEDIA, 'metrics-port': 0 }));
  await answers(t, 'node', [CLI, 'serve', '--config', file, '--holdout', '1%', '--drain-seconds', '30']);
}

async function help(): Promise<void> {
  const { stdout } = await run('node', [CLI, 'serve', '--help'], { cwd: ROOT });
  const flags = stdout.split(/^ {2}(?=-)/m).slice(1);
  assert.ok(flags.length > 5, stdout);
  for (const flag of flags.filter((text) => !text.startsWith('-h, --help')))
    assert.match(flag.replace(/\s+/g, ' '), /^--[a-z0-9-]+ .*\benv: P2P_[A-Z0-9_]+\)/);
}

/** Runs it as written where the package is installed, twice as after an update, and finds there what the package has. */
async function copies(t: TestContext, command: string, target: string): Promise<void> {
  const site = await mkdtemp(join(tmpdir(), 'p2p-docs-'));
  t.after(() => rm(site, { recursive: true }));
  await Promise.all(['node_modules', 'public'].map((name) => mkdir(join(site, name))));
  await symlink(ROOT, join(site, 'node_modules', 'p2p-elements'), 'dir');
  for (let time = 0; time < 2; time++) await run('sh', ['-c', command], { cwd: site });
  const copy = join(site, target);
  const kit = join(ROOT, 'dist', 'browser');
  if ((await stat(copy)).isFile()) assert.deepEqual(await readFile(copy), await readFile(join(kit, basename(copy))));
  else
    assert.deepEqual(
      (await readdir(copy, { recursive: true })).sort(),
      (await readdir(kit, { recursive: true })).sort(),
    );
}

for (const command of [...new Set(await commands())]) {
  test(`the documented command works: ${command}`, { timeout: 150_000 }, async (t) => {
    const tried = TRIED[command] ?? operatingCommand(command);
    assert.ok(tried, 'add it to the table at the top of this file');
    await tried(t);
  });
}

test('the table of commands lists nothing that the docs do not say', async () => {
  const listed = [...new Set(await commands())].filter((command) => command in TRIED || !operatingCommand(command));
  assert.deepEqual(Object.keys(TRIED).sort(), listed.sort());
});
