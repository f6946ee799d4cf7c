import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { countingServer } from '../harness/counting-server.ts';
import { freePort } from '../harness/free-port.ts';
import { forgetProcess, noteProcess } from '../harness/leftovers.ts';
import { FIXTURE_MEDIA, ROOT } from '../harness/serve.ts';
import { until } from '../harness/until.ts';
import { person } from './support/person.ts';

const run = promisify(execFile);

/** What the README shows. */
const PAGE = `<!doctype html>
<title>My lesson</title>
<script type="module" src="/p2p-elements/p2p-elements.js"></script>
<p2p-video src="/media/lesson/v1/index.m3u8" controls muted></p2p-video>
<p2p-img src="/media/map.png" alt="A map"></p2p-img>
`;

const CONSUMER = `import { mesh, type MeshStats } from 'p2p-elements';
import { P2PVideo } from 'p2p-elements/p2p-video';
const video: P2PVideo = document.createElement('p2p-video');
await video.play();
export const { peers, offload }: MeshStats = mesh.stats;
`;

const SERVER_CONSUMER = `import { createServer } from 'node:http';
import { createSignaling, type Signaling } from 'p2p-elements/server';
export const signaling: Signaling = createSignaling({ server: createServer() });
`;

test('the package, installed in an empty folder', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'p2p-package-'));
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }));
  await install(folder);

  await t.test('brings what is built and nothing else', async () => {
    const top = await readdir(join(folder, 'node_modules/p2p-elements'));
    assert.deepEqual(top.sort(), ['LICENSE', 'README.md', 'demo', 'dist', 'package.json']);
  });

  await t.test('has types that a strict consumer can use, whichever way modules are resolved', async () => {
    await writeFile(join(folder, 'consumer.mts'), CONSUMER);
    await writeFile(join(folder, 'server-consumer.mts'), SERVER_CONSUMER);
    await Promise.all([
      typeCheck(folder, ['--module', 'nodenext', 'consumer.mts']),
      // @types/koa is for who builds the package, not for who uses it
      typeCheck(folder, [
        '--module',
        'esnext',
        '--moduleResolution',
        'bundler',
        '--skipLibCheck',
        'consumer.mts',
        'server-consumer.mts',
      ]),
    ]);
  });

  await t.test('serves a page of five lines that plays and shares', async (t) => {
    await cp(FIXTURE_MEDIA, join(folder, 'media'), { recursive: true });
    await mkdir(join(folder, 'media/own'));
    await writeFile(join(folder, 'media/own/index.html'), PAGE);
    const proxy = await countingServer(await npxServe(t, folder));
    t.after(() => proxy.dropAll());
    const url = `${proxy.url}/media/own/index.html`;
    const a = await person(t);
    await a.goto(url);
    assert.equal(await a.imageShown(), 'origin');
    await a.videoBuffered();
    const b = await person(t);
    proxy.reset();
    await b.goto(url);
    assert.equal(await b.imageShown(), 'peers');
    await b.videoBuffered();
    assert.deepEqual(proxy.matching(/\.(ts|png)$/), [], 'asked of the server for B');
    await b.page.evaluate(() => document.querySelector<HTMLVideoElement>('p2p-video')!.play());
    await until('a picture that moves', () =>
      b.page.evaluate(() => document.querySelector<HTMLVideoElement>('p2p-video')!.currentTime > 0.5),
    );
    assert.deepEqual([...a.warnings, ...b.warnings], []);
  });
});

/** From the tarball, as a user of the registry would get it. */
async function install(folder: string): Promise<void> {
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: ROOT,
    maxBuffer: 64 << 20,
  });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  await writeFile(join(folder, 'package.json'), '{ "private": true }');
  await run('npm', ['install', `./${filename}`, '--omit=dev', '--no-audit', '--no-fund', '--prefer-offline'], {
    cwd: folder,
  });
}

async function typeCheck(folder: string, args: readonly string[]): Promise<void> {
  const flags = [
    '--noEmit',
    '--strict',
    '--target',
    'es2023',
    '--lib',
    'es2023,dom,dom.iterable',
    '--types',
    'node',
    '--typeRoots',
    `${ROOT}node_modules/@types`,
  ];
  try {
    await run(process.execPath, [`${ROOT}node_modules/typescript/bin/tsc`, ...flags, ...args], { cwd: folder });
  } catch (error) {
    assert.fail(`${args.join(' ')}\n${(error as { stdout: string }).stdout}`);
  }
}

/** `npx p2p-elements serve`, as in the README. Ends with the test. @returns its URL */
async function npxServe(t: TestContext, folder: string): Promise<string> {
  const port = await freePort();
  const child = spawn('npx', ['p2p-elements', 'serve', '--port', String(port), '--media', 'media'], {
    cwd: folder,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { pid } = child;
  assert.ok(pid !== undefined);
  noteProcess(pid, 'npx');
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  t.after(() => {
    process.kill(-pid, 'SIGKILL'); // npx and the server are one process group
    forgetProcess(pid);
  });
  const url = `http://127.0.0.1:${port}`;
  await until(`${url}/healthz`, async () => (await fetch(`${url}/healthz`)).ok, { timeout: 30_000 });
  assert.match(output, new RegExp(`http://\\S+:${port}`));
  return url;
}
