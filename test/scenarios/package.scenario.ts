import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
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
import { SignalingPeer } from './support/signaling-peer.ts';

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
import { createSignaling, digests, kit, playlists, SharedFolder, type KoaMiddleware, type Signaling } from 'p2p-elements/server';
const shared = new SharedFolder({ folder: 'media' });
export const middleware: KoaMiddleware[] = [kit(), digests(shared), playlists(shared)];
export const signaling: Signaling = createSignaling({ server: createServer() });
`;

const OTHERS = ['koa@3', 'koa-static@5', 'express@5'];

const EXPRESS = `import { createServer } from 'node:http';
import express from 'express';
import { createSignaling } from 'p2p-elements/server';
const app = express();
app.get('/hello', (request, response) => response.send('from Express'));
const server = createServer(app);
createSignaling({ server });
server.listen(8080);
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
      typeCheck(folder, ['--module', 'nodenext', 'consumer.mts', 'server-consumer.mts']),
      typeCheck(folder, ['--module', 'esnext', '--moduleResolution', 'bundler', 'consumer.mts', 'server-consumer.mts']),
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

  await t.test("is in somebody's own Koa app what its own server is, by the README", async (t) => {
    const [, script = ''] =
      /### In your own server[^]*?```js\n([^]*?)```/.exec(await readFile(`${ROOT}README.md`, 'utf8')) ?? [];
    await cp(join(folder, 'media'), join(folder, 'public/lessons'), { recursive: true });
    await writeFile(join(folder, 'public/lesson.html'), PAGE.replaceAll('/media/', '/lessons/'));
    const origin = await scriptServer(t, folder, script, '/p2p-manifest.json');
    const { assets } = (await (await fetch(`${origin}/p2p-manifest.json`)).json()) as { assets: object };
    assert.ok('/lessons/map.png' in assets, Object.keys(assets).join(' '));
    const [a, b] = [await person(t), await person(t)];
    await a.goto(`${origin}/lesson.html`);
    assert.equal(await a.imageShown(), 'origin');
    await a.videoBuffered();
    await b.goto(`${origin}/lesson.html`);
    assert.equal(await b.imageShown(), 'peers');
    await b.videoBuffered();
    assert.deepEqual([...a.warnings, ...b.warnings], []);
  });

  await t.test('attaches its signaling to an Express app, which goes on', async (t) => {
    const origin = await scriptServer(t, folder, EXPRESS, '/hello');
    assert.equal(await (await fetch(`${origin}/hello`)).text(), 'from Express');
    const peers = [0, 1].map((number) => new SignalingPeer(Number(new URL(origin).port), number, 'lesson'));
    t.after(() => peers.forEach((peer) => peer.close()));
    await until('both are in the swarm', async () =>
      (await Promise.all(peers.map((peer) => peer.join()))).every((view) => view?.swarms[0]?.size === 2),
    );
  });
});

/** From the tarball, as a user of the registry would get it; with what a server of somebody's own may be made of. */
async function install(folder: string): Promise<void> {
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: ROOT,
    maxBuffer: 64 << 20,
  });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  await writeFile(join(folder, 'package.json'), '{ "private": true }');
  await run(
    'npm',
    ['install', `./${filename}`, ...OTHERS, '--omit=dev', '--no-audit', '--no-fund', '--prefer-offline'],
    {
      cwd: folder,
    },
  );
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

/** Runs a script that listens on port 8080, on a free one. Ends with the test. @param path that answers when it is up @returns its origin */
async function scriptServer(t: TestContext, folder: string, script: string, path: string): Promise<string> {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  assert.match(script, /listen\(8080\)/);
  const file = join(folder, `server-${port}.mjs`);
  await writeFile(file, script.replace('8080', String(port)).replace('https://school.example', origin));
  const child = spawn(process.execPath, [file], { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] });
  if (child.pid !== undefined) noteProcess(child.pid, 'node');
  t.after(async () => {
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
    if (child.pid !== undefined) forgetProcess(child.pid);
  });
  await until(`${origin}${path}`, async () => (await fetch(origin + path)).ok, { timeout: 30_000 });
  return origin;
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
