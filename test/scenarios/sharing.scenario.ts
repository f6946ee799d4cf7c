/** A second viewer's lesson comes from the first: issue A, D2. */
import assert from 'node:assert/strict';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { launchFirefox } from '../harness/browsers.ts';
import { ROOT } from '../harness/serve.ts';
import { until } from '../harness/until.ts';
import { person } from './support/person.ts';
import { KIT, SEGMENTS, stage, stageOfSites, type Stage } from './support/stage.ts';
import { imagesShown, inPage, meshStats, playedToEnd, skim, type AnyPage } from './support/viewer.ts';

const IS_SEGMENT = /\.ts$/;
const IS_IMAGE = /\.(png|gif)$/;

/** What the server may give of the second viewer's segments. */
const MOST_FROM_SERVER = 0.05;

const FILM = `${KIT}
<p2p-video src="/media/lesson/v2/index.m3u8" muted autoplay></p2p-video>`;

const LESSON = `${FILM}
<p2p-img src="/media/map.png"></p2p-img>
<p2p-img src="/media/animation.gif"></p2p-img>`;

/** The same page of the author's after an edit. The store is in memory: a navigation begins with an empty one. */
const PLAIN = `${KIT}
<p2p-mesh></p2p-mesh>
<img src="/media/map.png">
<script>window.got = fetch('/media/animation.gif').then((response) => response.arrayBuffer())</script>`;

test("a second viewer's lesson comes from the first", async (t) => {
  const [scene, a, b] = await Promise.all([stage(t), person(t), person(t)]);
  const url = await scene.page('lesson', LESSON);
  await watchAlone(t, scene, a.page, url);
  await watchTogether(t, scene, b.page, url);
  assert.ok(b.page.workers().length > 0, 'the engine is in a worker');

  await t.test('so do a plain <img> and a plain fetch() on its second navigation', async () => {
    await until('the service worker in control', () =>
      inPage(b.page, () => navigator.serviceWorker.controller !== null),
    );
    await scene.page('lesson', PLAIN); // behind another query, for the browser keeps the first one for an hour
    scene.proxy.reset();
    await b.goto(`${url}?second`);
    const { size } = await stat(join(scene.media, 'animation.gif'));
    const got = await inPage(
      b.page,
      async () => (await (window as unknown as { got: Promise<ArrayBuffer> }).got).byteLength,
    );
    assert.equal(got, size);
    await until('the image', () => inPage(b.page, () => document.querySelector('img')!.naturalWidth > 0));
    assert.equal(scene.proxy.bytes(IS_IMAGE), 0, 'image bytes from the server');
    await until('both counted as bytes from the neighbour', async () => (await meshStats(b.page)).bytes.peers > size);
  });
});

for (const [name, before] of [
  [
    'maxMessageSize held to 16 KiB',
    () => Object.defineProperty(RTCSctpTransport.prototype, 'maxMessageSize', { get: () => 16 * 1024 }),
  ],
  ['the engine on the main thread', () => Reflect.deleteProperty(window, 'Worker')],
] as const)
  test(`a second viewer's lesson comes from the first: ${name}`, async (t) => {
    const [scene, a, b] = await Promise.all([stage(t), person(t, { before }), person(t, { before })]);
    const url = await scene.page('lesson', LESSON);
    await watchAlone(t, scene, a.page, url);
    await watchTogether(t, scene, b.page, url);
    if (name.includes('main thread'))
      for (const { page } of [a, b]) assert.equal(page.workers().length, 0, 'no dedicated worker');
  });

test("a second viewer's lesson comes from the first: from Firefox to Chromium", async (t) => {
  const [scene, firefox, b] = await Promise.all([stage(t), launchFirefox(), person(t)]);
  const url = await scene.page('lesson', LESSON);
  t.after(() => firefox.close());
  await watchAlone(t, scene, await firefox.browser.newPage(), url);
  await watchTogether(t, scene, b.page, url);
});

test("a second viewer's lesson comes from the first: at another site", async (t) => {
  const [scene, a, b] = await Promise.all([stageOfSites(t), person(t), person(t)]);
  // Images don't wait for other sites as long as channels take on a busy machine.
  const url = await scene.page('film', FILM);
  await watchAlone(t, scene, a.page, url);
  await watchTogether(t, scene, b.page, url, { mayTake: [SEGMENTS[0]!], images: 0 });
  assert.ok(
    scene.proxy.requests.some(({ url, bytes }) => /from-outside/.test(url) && bytes > 0),
    'who is alone at its site has loaded what brings assets from others',
  );
});

if (process.env['P2P_LONG'])
  test("a second viewer's lesson comes from the first: the whole demo, at its own speed", async (t) => {
    const [scene, a, b] = await Promise.all([stage(t, [], `${ROOT}demo/media`), person(t), person(t)]);
    const url = await scene.page('lesson', LESSON);
    await watchAlone(t, scene, a.page, url, 'whole');
    await watchTogether(t, scene, b.page, url, { how: 'whole' });
  });

/** `whole`: at its own speed to the end. */
type Watching = 'skim' | 'whole';

/** The first viewer watches to the end and falls idle. */
async function watchAlone(
  t: TestContext,
  scene: Stage<unknown>,
  page: AnyPage,
  url: string,
  how: Watching = 'skim',
): Promise<void> {
  const start = performance.now();
  await page.goto(url);
  if (how === 'skim') await skim(page);
  await imagesShown(page);
  await playedToEnd(page, 100_000);
  await until('an idle viewer', () =>
    scene.proxy.requests.every(({ state, status }) => state !== 'open' || status === 101),
  );
  t.diagnostic(`A alone: ${((performance.now() - start) / 1000).toFixed(1)} s`);
}

/**
 * The second viewer opens the page and watches it to the end. What the server gave is counted.
 * @param images on the page
 * @param mayTake segments that it may take from there: who is alone at its site does not wait for others in a hurry
 */
async function watchTogether(
  t: TestContext,
  scene: Stage<unknown>,
  page: AnyPage,
  url: string,
  {
    how = 'skim',
    mayTake = [],
    images = 2,
  }: { readonly how?: Watching; readonly mayTake?: readonly string[]; readonly images?: number } = {},
): Promise<void> {
  const start = performance.now();
  scene.proxy.reset();
  await page.goto(url);
  if (how === 'skim') await skim(page);
  const sources = await imagesShown(page);
  await playedToEnd(page, 100_000);
  const total = await sizeOf(join(scene.media, 'lesson/v2'));
  const allowed = await sizeOf(join(scene.media, 'lesson/v2'), mayTake);
  const fromServer = scene.proxy.bytes(IS_SEGMENT);
  const { bytes, peers } = await meshStats(page);
  t.diagnostic(
    `B: ${fromServer} of ${total} segment bytes and ${scene.proxy.bytes(IS_IMAGE)} image bytes from the server; ` +
      `${bytes.peers} from ${peers} neighbour; ${((performance.now() - start) / 1000).toFixed(1)} s`,
  );
  assert.ok(
    fromServer <= MOST_FROM_SERVER * total + allowed,
    `${fromServer} of ${total} segment bytes came from the server: ${scene.proxy.requests
      .filter(({ url, bytes }) => IS_SEGMENT.test(url) && bytes > 0)
      .map(({ url }) => url)
      .join(' ')}`,
  );
  assert.equal(scene.proxy.bytes(IS_IMAGE), 0, 'image bytes from the server');
  assert.deepEqual(sources, Array(images).fill('peers'));
  assert.ok(bytes.peers >= (1 - MOST_FROM_SERVER) * total - allowed, `${bytes.peers} of ${total} bytes`);
}

/** Bytes of these segments in a folder. Default: of all. */
async function sizeOf(folder: string, names?: readonly string[]): Promise<number> {
  const segments = names ?? (await readdir(folder)).filter((name) => IS_SEGMENT.test(name));
  const stats = await Promise.all(segments.map((name) => stat(join(folder, name))));
  return stats.reduce((sum, { size }) => sum + size, 0);
}
