/** The lesson goes on when the server dies: issue A, D3. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import test, { type TestContext } from 'node:test';
import type { P2PVideo } from '../../index.ts';
import { ROOT } from '../harness/serve.ts';
import { until } from '../harness/until.ts';
import { PATIENT, person, type Person } from './support/person.ts';
import { KIT, stage, type Stage } from './support/stage.ts';
import { imagesShown, inPage, meshStats, playedToEnd, skim } from './support/viewer.ts';

const IS_ASSET = /\.(ts|png|gif)$/;

/** How long after the server's return everybody must be in the mesh again, ms. */
const REJOIN_MS = 10_000;

const IMAGES = `<p2p-img></p2p-img>
<p2p-img></p2p-img>`;

/** Shows nothing until it is told to; the player and its playlists are loaded. */
const WAITING = `${KIT}
${IMAGES}
<p2p-video src="/media/lesson/v2/index.m3u8" preload="none" muted></p2p-video>`;

const WATCHING = `${KIT}
<p2p-img src="/media/map.png"></p2p-img>
<p2p-img src="/media/animation.gif"></p2p-img>
<p2p-video src="/media/lesson/v2/index.m3u8" muted autoplay></p2p-video>`;

test('the server dies before the second viewer has a byte of the lesson: all of it comes from the first', async (t) => {
  const [scene, a, b] = await Promise.all([stage(t), person(t), person(t)]);
  await a.goto(await scene.page('watching', WATCHING));
  await skim(a.page);
  await imagesShown(a.page);
  await playedToEnd(a.page);

  const waiting = await scene.page('waiting', WAITING);
  scene.proxy.reset();
  await b.goto(waiting);
  await b.connected();
  await playerReady(scene, b);
  assert.equal(scene.proxy.bytes(IS_ASSET), 0, 'asset bytes from the server');
  await vanish(scene);
  await assert.rejects(fetch(waiting), 'the server is gone');

  await inPage(b.page, () => {
    const [map, animation] = document.querySelectorAll('p2p-img');
    map!.setAttribute('src', '/media/map.png');
    animation!.setAttribute('src', '/media/animation.gif');
    const video = document.querySelector('p2p-video')!;
    const src = video.getAttribute('src')!;
    video.removeAttribute('src');
    video.setAttribute('autoplay', '');
    video.setAttribute('src', src);
  });
  assert.deepEqual(await imagesShown(b.page), ['peers', 'peers']);
  await skim(b.page);
  const duration = await playedToEnd(b.page);
  const { bytes } = await meshStats(b.page);
  t.diagnostic(`B played ${duration.toFixed(1)} s from ${bytes.peers} bytes of its neighbour`);

  await t.test('the server comes back: both are in the mesh again without a reload', async (t) => {
    await scene.server.start();
    await scene.proxy.listen();
    const start = performance.now();
    for (const { page } of [a, b])
      await until('the mesh', async () => (await meshStats(page)).signaling === 'joined', { timeout: REJOIN_MS });
    const took = performance.now() - start;
    t.diagnostic(`both joined ${(took / 1000).toFixed(1)} s after the server was back`);
    assert.ok(took < REJOIN_MS);
    // The server knows them both: it introduces a newcomer to each.
    const c = await person(t);
    await c.goto(waiting);
    await c.connected(2);
  });
});

const DEMO = `${ROOT}demo/index.html`;

test('the server dies while the demo is open: it plays to the end from the neighbour', async (t) => {
  assert.ok(existsSync(DEMO), 'the demo page');
  const scene = await stage(t);
  await demoThroughAnOutage(t, scene, `${scene.proxy.url}/?src=/media/lesson/index.m3u8&autoplay`, 'skim');
});

if (process.env['P2P_LONG'])
  test('the server dies while the whole demo is open: it plays to the end from the neighbour', async (t) => {
    const scene = await stage(t, [], `${ROOT}demo/media`);
    await demoThroughAnOutage(t, scene, `${scene.proxy.url}/?autoplay`, 'whole');
  });

/** Renditions are free: A has what the player chose for it. */
async function demoThroughAnOutage(t: TestContext, scene: Stage, url: string, how: 'skim' | 'whole'): Promise<void> {
  const [a, b] = await Promise.all([person(t), person(t)]);
  await a.goto(url);
  if (how === 'skim') await skim(a.page);
  await playedToEnd(a.page, 100_000);
  scene.proxy.reset();
  await b.goto(url);
  await b.connected();
  await playerReady(scene, b);
  await vanish(scene);
  const had = scene.proxy.bytes(/\.ts$/);
  if (how === 'skim') await skim(b.page);
  const duration = await playedToEnd(b.page, 100_000);
  const { bytes } = await meshStats(b.page);
  t.diagnostic(
    `B played ${duration.toFixed(1)} s; ${had} segment bytes from the server before it died; ` +
      `${bytes.peers} bytes from its neighbour`,
  );
}

async function vanish({ server, proxy }: Stage): Promise<void> {
  await server.kill('SIGKILL');
  await proxy.dropAll();
}

/** The manifest has come, hls.js is there and has a playlist. The playlists come from A: the manifest lists those that don't change. */
async function playerReady({ proxy }: Stage, { page }: Person): Promise<void> {
  const manifest = /\/p2p-manifest\.json$/;
  await until('the manifest', () => proxy.matching(manifest)[0]?.state === 'complete', PATIENT);
  const hasPlaylist = (): Promise<boolean> =>
    inPage(page, () => {
      const { api } = document.querySelector('p2p-video') as P2PVideo;
      return api?.levels.some(({ details }) => details) === true;
    });
  await until('hls.js with a playlist', hasPlaylist, PATIENT);
  assert.equal((await meshStats(page)).signaling, 'joined');
}
