/** A CDN that knows nothing of digests: viewers share its streams, for the server hashes them once. Issue D, D7. */
import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import test from 'node:test';
import type * as Kit from '../../index.ts';
import { parseDigestList, type DigestList } from '../../protocol/digest-list.ts';
import type { Held } from '../../protocol/page.ts';
import { FIXTURE_MEDIA, ROOT } from '../harness/serve.ts';
import { until } from '../harness/until.ts';
import { PATIENT, person, type Person } from './support/person.ts';
import { isFromBrowser, plainOrigin, type PlainOrigin } from './support/plain-origin.ts';
import { KIT, SEGMENTS, stage, type Stage } from './support/stage.ts';

const LESSON = '/lesson/v1/index.m3u8';

/** Segments that a live stream has when it begins, and lists at a time. */
const LIVE_BEFORE = 5;

const flagsFor = (...origins: PlainOrigin[]): string[] => [
  '--digest-origins',
  origins.map(({ url }) => url).join(),
  '--digest-allow-private',
];

/** Plays when its viewer says so. */
const waitingOf = (url: string): string => `${KIT}\n<p2p-video src="${url}" muted preload="none"></p2p-video>`;

/** Opens the page, and presses play once the digests are there: a busy machine may take longer for them than a first segment waits. */
async function watch(viewer: Person, { proxy }: Stage, page: string, seconds: number): Promise<void> {
  proxy.reset();
  await viewer.goto(page);
  await until(
    'the digests',
    () => proxy.matching(/^\/p2p\/digests/).some(({ state, status }) => state === 'complete' && status === 200),
    PATIENT,
  );
  await viewer.page.locator('p2p-video').evaluate((video) => (video as HTMLVideoElement).play());
  await buffered(viewer, seconds);
}

const videoOf = (url: string): string => `${KIT}\n<p2p-video src="${url}" muted autoplay></p2p-video>`;

async function lessonBytes(): Promise<number> {
  const sizes = SEGMENTS.map(async (name) => (await stat(`${FIXTURE_MEDIA}/lesson/v1/${name}`)).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/** All digests of a playlist. An operator asks for them before a lesson, so that the first viewer finds them there. */
const digestsOf = ({ server }: Stage, playlist: string): Promise<DigestList> =>
  until('all digests', async () => {
    const answer = await fetch(`${server.url}/p2p/digests?playlist=${encodeURIComponent(playlist)}`);
    const list = parseDigestList(await answer.json());
    return list.complete && list;
  });

const held = ({ page }: Person, assets: DigestList['assets']): Promise<readonly Held[]> =>
  page.evaluate(async ({ kit, digests }) => ((await import(kit)) as typeof Kit).mesh.held(digests), {
    kit: '/p2p-elements/index.js',
    digests: assets.map(({ digest }) => digest),
  });

/** Waits until all of a stream is in the buffer. */
const buffered = ({ page }: Person, seconds: number): Promise<boolean> =>
  until(
    'the whole stream in the buffer',
    () =>
      page.locator('p2p-video').evaluate((video, seconds) => {
        const { buffered } = video as HTMLVideoElement;
        return buffered.length === 1 && buffered.end(0) > seconds;
      }, seconds),
    PATIENT,
  );

const bytesOf = ({ proxy }: PlainOrigin, who: 'browsers' | 'server'): number =>
  proxy
    .matching(/\.(ts|mp4)$/)
    .filter((request) => isFromBrowser(request) === (who === 'browsers'))
    .reduce((sum, { bytes }) => sum + bytes, 0);

test('two viewers share the stream of a server without digests: it serves two copies, one of them to the digest service', async (t) => {
  const cdn = await plainOrigin(t, FIXTURE_MEDIA);
  const [scene, a, b] = await Promise.all([stage(t, flagsFor(cdn)), person(t), person(t)]);
  const total = await lessonBytes();
  const page = await scene.page('cdn', waitingOf(cdn.url + LESSON));
  await digestsOf(scene, cdn.url + LESSON);
  await watch(a, scene, page, 23.5);
  await watch(b, scene, page, 23.5);
  const { peers, origin } = (await b.stats()).bytes;
  t.diagnostic(
    `${bytesOf(cdn, 'server')} bytes to the service, ${bytesOf(cdn, 'browsers')} to viewers, of ${total}; ${peers} from the neighbour`,
  );
  assert.equal(bytesOf(cdn, 'server'), total);
  assert.ok(bytesOf(cdn, 'browsers') <= total, `${bytesOf(cdn, 'browsers')} of ${total} bytes to viewers`);
  // A neighbour's bytes count once they are checked.
  assert.equal(peers, total, `${origin} from the origin`);
  assert.ok(scene.proxy.matching(/^\/p2p\/leaves\//).every(({ status }) => status === 200));
  assert.deepEqual([...a.warnings, ...b.warnings], []);
});

test('where nobody asked before the first viewer waits for no digest that takes long, and the second still has all from the first', async (t) => {
  const waiting: (() => Promise<void>)[] = [];
  let isOpen = false;
  const cdn = await plainOrigin(t, FIXTURE_MEDIA, ({ url = '', headers }, response) => {
    if (isOpen || !url.endsWith('.ts') || headers.referer !== undefined) return false;
    waiting.push(async () => void response.end(await readFile(FIXTURE_MEDIA + url)));
    return true;
  });
  const [scene, a, b] = await Promise.all([stage(t, flagsFor(cdn)), person(t), person(t)]);
  const page = await scene.page('cdn', videoOf(cdn.url + LESSON));
  await a.goto(page);
  await buffered(a, 3);
  assert.ok(waiting.length > 0, 'the service has no digest yet');
  isOpen = true;
  await Promise.all(waiting.map((answer) => answer()));
  await buffered(a, 23.5);
  const { assets } = await digestsOf(scene, cdn.url + LESSON);
  await until('what came before its digest, too', async () =>
    (await held(a, assets)).every((held) => held === 'store'),
  );
  const total = await lessonBytes();
  const { origin } = (await a.stats()).bytes;
  assert.ok(origin >= total && origin < 1.1 * total, `${origin} of ${total} bytes: each counts once`);
  await watch(b, scene, await scene.page('later', waitingOf(cdn.url + LESSON)), 23.5);
  const { peers } = (await b.stats()).bytes;
  t.diagnostic(`${bytesOf(cdn, 'browsers')} bytes to viewers, ${peers} of ${total} from the neighbour`);
  assert.deepEqual([bytesOf(cdn, 'server'), bytesOf(cdn, 'browsers'), peers], [total, total, total]);
  assert.deepEqual([...a.warnings, ...b.warnings], []);
});

test('so is a stream of byte ranges, initialization segment included', async (t) => {
  const folder = `${ROOT}test/fixtures/formats/fragmented`;
  const cdn = await plainOrigin(t, folder);
  const [scene, a, b] = await Promise.all([stage(t, flagsFor(cdn)), person(t), person(t)]);
  const page = await scene.page('ranges', waitingOf(`${cdn.url}/index.m3u8`));
  await digestsOf(scene, `${cdn.url}/index.m3u8`);
  await watch(a, scene, page, 7.5);
  await watch(b, scene, page, 7.5);
  const { size } = await stat(`${folder}/all.mp4`);
  const { peers } = (await b.stats()).bytes;
  t.diagnostic(`${bytesOf(cdn, 'browsers')} bytes to viewers of ${size}, ${peers} from the neighbour`);
  assert.ok(bytesOf(cdn, 'browsers') <= size);
  assert.ok(peers > 0.95 * size, `${peers} of ${size} bytes from the neighbour`);
});

test('what is brought ahead of such a stream asks the service until all is known, and is on this device', async (t) => {
  const cdn = await plainOrigin(t, FIXTURE_MEDIA);
  const [scene, viewer] = await Promise.all([stage(t, flagsFor(cdn)), person(t)]);
  await viewer.goto(
    await scene.page('ahead', `${KIT}<p2p-mesh></p2p-mesh><p2p-asset src="${cdn.url}${LESSON}"></p2p-asset>`),
  );
  const result = await until(
    'the lesson on this device',
    () => viewer.page.locator('p2p-asset').evaluate((asset) => (asset as Kit.P2PAsset).result),
    PATIENT,
  );
  // The playlist itself has no digest of its own: the service tells those of what it lists.
  assert.deepEqual([result.assets, result.missing], [SEGMENTS.length, [cdn.url + LESSON]]);
  const total = await lessonBytes();
  assert.deepEqual([bytesOf(cdn, 'server'), bytesOf(cdn, 'browsers'), result.bytes], [total, total, total]);
});

test('without the service all comes from the origin as ever, after one question; a playlist with tags asks none', async (t) => {
  const cdn = await plainOrigin(t, FIXTURE_MEDIA);
  const [scene, a] = await Promise.all([stage(t), person(t)]);
  await a.goto(await scene.page('cdn', videoOf(cdn.url + LESSON)));
  await buffered(a, 23.5);
  assert.equal(bytesOf(cdn, 'browsers'), await lessonBytes());
  assert.deepEqual(
    scene.proxy.matching(/^\/p2p\/digests/).map(({ status }) => status),
    [404],
  );
  assert.deepEqual(a.warnings, []);
  scene.proxy.reset();
  await a.goto(await scene.page('tagged', videoOf(`/media${LESSON}`)));
  await buffered(a, 23.5);
  assert.deepEqual(scene.proxy.matching(/digest/), []);
});

test('a service that gives no answer holds nobody up for long', async (t) => {
  const listed = SEGMENTS.slice(0, 5).map((name) => `#EXTINF:2,\n${name}\n`);
  const cdn = await plainOrigin(t, `${FIXTURE_MEDIA}/lesson/v1`, ({ url }, response) => {
    if (url !== '/short.m3u8') return false;
    response.end(`#EXTM3U\n#EXT-X-TARGETDURATION:2\n${listed.join('')}#EXT-X-ENDLIST\n`);
    return true;
  });
  const [scene, a] = await Promise.all([stage(t, flagsFor(cdn)), person(t)]);
  scene.proxy.answers = ({ url }) => url?.startsWith('/p2p/digests') === true;
  await a.goto(await scene.page('cdn', videoOf(`${cdn.url}/short.m3u8`)));
  await buffered(a, 9.5);
  // The question is still open.
  assert.deepEqual(
    scene.proxy.matching(/^\/p2p\/digests/).map(({ state }) => state),
    ['open'],
  );
  const [playlist, first] = [/short\.m3u8/, /segment-00/].map((path) => cdn.proxy.matching(path)[0]!.at);
  const waited = first! - playlist!;
  t.diagnostic(`the first segment ${waited.toFixed(0)} ms after the playlist`);
  // 0.3 s of it for the digest, the rest for the player's code and a busy machine; the answer would take 12 s.
  assert.ok(waited < 3000, `${waited} ms`);
});

test('new segments of a live stream are shared, too', async (t) => {
  let startedAt: number | undefined;
  const cdn = await plainOrigin(t, `${FIXTURE_MEDIA}/lesson/v1`, ({ url }, response) => {
    if (url !== '/live.m3u8') return false;
    startedAt ??= performance.now();
    const newest = Math.min(SEGMENTS.length, LIVE_BEFORE + Math.floor((performance.now() - startedAt) / 2000));
    const listed = SEGMENTS.slice(newest - LIVE_BEFORE, newest).map((name) => `#EXTINF:2,\n${name}\n`);
    response.end(`#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:${newest - LIVE_BEFORE}\n${listed.join('')}`);
    return true;
  });
  const [scene, a, b] = await Promise.all([stage(t, flagsFor(cdn)), person(t), person(t)]);
  const page = await scene.page('live', videoOf(`${cdn.url}/live.m3u8`));
  await Promise.all([a.goto(page), b.goto(page)]);
  const last = SEGMENTS.at(-1)!;
  for (const { page } of [a, b])
    await until(
      'the last segment',
      () =>
        page.locator('p2p-video').evaluate((video) => {
          const { buffered } = video as HTMLVideoElement;
          return buffered.length > 0 && buffered.end(buffered.length - 1) > 23.5;
        }),
      PATIENT,
    );
  assert.equal(cdn.proxy.matching(new RegExp(last)).filter((request) => !isFromBrowser(request)).length, 1);
  const copies = SEGMENTS.slice(-6).map((name) => cdn.proxy.matching(new RegExp(name)).filter(isFromBrowser).length);
  t.diagnostic(`copies to viewers of the last six segments: ${copies.join(' ')}`);
  const peers = (await a.stats()).bytes.peers + (await b.stats()).bytes.peers;
  assert.ok(copies.filter((count) => count === 1).length >= 4, copies.join(' '));
  assert.ok(peers > 4 * 30_000, `${peers} bytes from neighbours`);
});
