import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import type { P2PImg, P2PVideo } from '../../index.ts';
import { until } from '../harness/until.ts';
import type { HostileOptions } from './hostile/hostile-peer.ts';
import {
  launchHostilePeer,
  listedAssets,
  segmentsOfPlaylist,
  type HostilePeer,
} from './hostile/launch-hostile-peer.ts';
import { PATIENT, person, type Person } from './support/person.ts';
import { KIT, SEGMENTS, stage, type Stage } from './support/stage.ts';

const PAGE = `${KIT}\n<p2p-img></p2p-img>\n<p2p-video muted></p2p-video>`;
const PLAYLIST = 'pinned.m3u8';
const RENDITION = 'lesson/v1';

test('a peer that sends one wrong byte of a picture is banned at once, and the picture is right for us and for a third peer', async (t) => {
  const { scene, hostile, b } = await attacked(t, 'wrong-byte');
  await setSource(b, 'p2p-img', '/media/map.png');
  await bannedOnTheSpot(b, hostile);
  assert.equal(await b.imageShown(), 'mixed', 'the right blocks were kept');
  await assertRightPicture(b, scene);
  assert.deepEqual(
    b.warnings.map((line) => /sent wrong bytes of .*map\.png/.test(line)),
    [true],
  );

  // a copy from B's store is right, and reaches a third peer, who has no reason to ban anybody but the hostile one
  const c = await person(t);
  await enter(c, scene, 2);
  await until('what B holds', () => heldByNeighbour(c, scene));
  scene.proxy.reset();
  await setSource(c, 'p2p-img', '/media/map.png');
  await c.imageShown();
  await assertRightPicture(c, scene);
  const { banned, peers } = await c.stats();
  assert.ok(banned <= 1 && peers >= 1, 'B is not banned');
  assert.deepEqual(scene.proxy.matching(/map\.png/), [], 'C has it from B');
});

test('a peer that sends one wrong byte of a segment is banned at once, and the player gets nothing but right bytes', async (t) => {
  const { scene, hostile, b } = await attacked(t, 'wrong-byte');
  await b.page.evaluate(async () => {
    const { mesh } = document.querySelector<P2PVideo>('p2p-video')!;
    const load = mesh.load.bind(mesh);
    const given: [string, string][] = [];
    Object.assign(window, { given });
    mesh.load = async (url, options) => {
      const asset = await load(url, options);
      const hash = await crypto.subtle.digest('SHA-256', asset.body);
      given.push([String(url), [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, '0')).join('')]);
      return asset;
    };
  });
  await setSource(b, 'p2p-video', `/media/${PLAYLIST}`);
  await bannedOnTheSpot(b, hostile);
  await b.videoBuffered();
  assert.equal(await b.page.evaluate(() => document.querySelector<P2PVideo>('p2p-video')!.error), null);
  const given = await b.page.evaluate(() => (window as unknown as { given: [string, string][] }).given);
  const segments = given
    .filter(([url]) => url.endsWith('.ts'))
    .map(([url, hash]) => [url.slice(url.lastIndexOf('/') + 1), hash]);
  assert.deepEqual(
    segments,
    await Promise.all(SEGMENTS.map(async (name) => [name, await hashOf(join(scene.media, RENDITION, name))])),
  );
});

const DELAYS = {
  silent: 'announces everything and answers nothing',
  mute: 'opens the channel and never says hello',
  absent: 'never answers an offer',
} as const;

for (const behaviour of ['silent', 'mute', 'absent'] as const) {
  test(`a peer that ${DELAYS[behaviour]} delays the first picture by a second at most`, async (t) => {
    const scene = await stage(t);
    const url = await scene.page('first-picture', `${KIT}\n<p2p-video src="/media/${PLAYLIST}" muted></p2p-video>`);
    const alone = await untilFirstSegment(t, scene, url);
    const hostile = await launch(t, scene, behaviour);
    // On a busy machine the picture may be there before the channel: what is to be seen of the peer is waited for.
    const delayed = await untilFirstSegment(t, scene, url, async () => {
      const { opened, requests } = await hostile.state();
      return opened === (behaviour === 'absent' ? 0 : 1) && (requests > 0 || behaviour !== 'silent');
    });
    const { opened, requests } = await hostile.state();
    t.diagnostic(
      `${Math.round(alone)} ms alone, ${Math.round(delayed)} ms with it; ${opened} channels, ${requests} requests`,
    );
    assert.deepEqual([opened, requests > 0], [behaviour === 'absent' ? 0 : 1, behaviour === 'silent']);
    assert.ok(delayed - alone <= 1000, `${Math.round(delayed - alone)} ms later`);
  });
}

/** B's page is open and connected to a hostile peer, and has asked for nothing. */
async function attacked(
  t: TestContext,
  behaviour: HostileOptions['behaviour'],
): Promise<{ scene: Stage; hostile: HostilePeer; b: Person }> {
  const scene = await stage(t);
  const hostile = await launch(t, scene, behaviour);
  const b = await person(t);
  await enter(b, scene, 1);
  return { scene, hostile, b };
}

/** Opens the page, which asks for nothing yet, and waits for neighbours. */
async function enter(viewer: Person, scene: Stage, neighbours: number): Promise<void> {
  await viewer.goto(await scene.page('attacked', PAGE));
  await viewer.page.evaluate((stream) => {
    const { mesh } = document.querySelector<P2PImg>('p2p-img')!;
    const events: string[] = [];
    Object.assign(window, { events });
    mesh.addEventListener('peer', ({ detail: { peer, state } }) => events.push(`${peer} ${state}`));
    mesh.join(stream);
  }, scene.urlOf(PLAYLIST));
  await viewer.connected(neighbours);
}

async function launch(t: TestContext, scene: Stage, behaviour: HostileOptions['behaviour']): Promise<HostilePeer> {
  const { page } = await person(t);
  const segments = await segmentsOfPlaylist(scene.urlOf(`${RENDITION}/index.m3u8`));
  return launchHostilePeer(page, scene, {
    behaviour,
    swarms: [scene.proxy.url, scene.urlOf(PLAYLIST)],
    claims: [...(await listedAssets(scene)), ...segments],
  });
}

async function bannedOnTheSpot(b: Person, hostile: HostilePeer): Promise<void> {
  const stats = await b.statsUntil('the ban', ({ banned }) => banned > 0);
  assert.deepEqual([stats.banned, stats.peers], [1, 0]);
  const { peer } = await hostile.state();
  const events = await b.page.evaluate(() => (window as unknown as { events: string[] }).events);
  assert.equal(events.filter((event) => event === `${peer} banned`).length, 1);
  const { closed, wrongBlocks } = await until('the end of the connection', async () => {
    const state = await hostile.state();
    return state.closed > 0 && state;
  });
  assert.deepEqual([closed, wrongBlocks > 0], [1, true]);
}

const setSource = (viewer: Person, selector: string, src: string): Promise<void> =>
  viewer.page.locator(selector).evaluate((element, given) => element.setAttribute('src', given), src);

/** Each pixel is that of the file on the server's disk. */
async function assertRightPicture({ page }: Person, { media }: Stage): Promise<void> {
  const file = (await readFile(join(media, 'map.png'))).toString('base64');
  const different = await page.evaluate(async (truth) => {
    const shown = document.querySelector<P2PImg>('p2p-img')!.nativeEl;
    const right = await createImageBitmap(await (await fetch(`data:image/png;base64,${truth}`)).blob());
    const { width, height } = right;
    const [a, b] = [shown, right].map((image) => {
      const context = new OffscreenCanvas(width, height).getContext('2d')!;
      context.drawImage(image, 0, 0);
      return new Uint32Array(context.getImageData(0, 0, width, height).data.buffer);
    });
    if (shown.naturalWidth !== width || shown.naturalHeight !== height) return -1;
    return a!.filter((pixel, i) => pixel !== b![i]).length;
  }, file);
  assert.equal(different, 0, 'wrong pixels');
}

async function heldByNeighbour({ page }: Person, scene: Stage): Promise<boolean> {
  const map = (await listedAssets(scene)).find(({ url }) => url.endsWith('/map.png'));
  return page.evaluate(
    async (digest) => (await document.querySelector<P2PImg>('p2p-img')!.mesh.held([digest]))[0] === 'neighbour',
    map!.digest,
  );
}

const hashOf = async (path: string): Promise<string> =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex');

/** Milliseconds, seen at the origin, from the playlist to the first segment; a fresh browser shows the first picture. All that a peer can delay is in it, and little else. */
async function untilFirstSegment(
  t: TestContext,
  scene: Stage,
  url: string,
  peerSeen: () => boolean | Promise<boolean> = () => true,
): Promise<number> {
  const viewer = await person(t);
  scene.proxy.reset();
  await viewer.goto(url);
  await until(
    'the first picture',
    () => viewer.page.evaluate(() => document.querySelector<P2PVideo>('p2p-video')!.readyState >= 2),
    PATIENT,
  );
  const [playlist] = scene.proxy.matching(/v1\/index\.m3u8$/);
  const [segment] = scene.proxy.matching(/\.ts$/);
  await until('what the peer does', peerSeen, PATIENT);
  await viewer.chromium.close();
  return segment!.at - playlist!.at;
}
