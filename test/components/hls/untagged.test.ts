import assert from 'node:assert/strict';
import { mock, test, type TestContext } from 'node:test';
import { names, nameKey } from '../../../components/hls/names.ts';
import {
  awaitName,
  named,
  NAME_PATIENCE_PAUSE_MS,
  NAME_SPARE_MS,
  note,
  type Nameless,
} from '../../../components/hls/digest-service.ts';
import { NAME_PATIENCE_MS } from '../../../components/hls/limits.ts';
import { nameOfFragment } from '../../../components/hls/segments.ts';
import { nameSoon, noteUntagged, shareOnceNamed } from '../../../components/hls/untagged.ts';
import type { Kept, MeshFace } from '../../../mesh/index.ts';
import type { DigestList } from '../../../protocol/digest-list.ts';
import type { Digest } from '../../../protocol/ids.ts';
import { formatDigestTag } from '../../../protocol/playlist-tag.ts';

const SERVER = 'https://signal.example';
const VOD = '#EXTM3U\n#EXTINF:2,\n0.ts\n#EXT-X-ENDLIST\n';
const LIVE = '#EXTM3U\n#EXTINF:2,\n0.ts\n';
const digest = 'a'.repeat(64) as Digest;

const meshOf = (server: string | null = SERVER): MeshFace =>
  ({ server: () => Promise.resolve(server) }) as unknown as MeshFace;

let origins = 0;

/** A web origin that no other test has used, for what is known of one is known for a page visit. */
const freshOrigin = (): string => `https://cdn-${++origins}.example`;

/** A segment that its origin's index.m3u8 lists. */
const fragmentAt = (url: string, ...byteRange: [] | [number, number]) => ({
  url,
  byteRange,
  tagList: [],
  baseurl: `${new URL(url).origin}/index.m3u8`,
});

const listOf = (origin: string, more: Partial<DigestList> = {}): DigestList => ({
  version: 1,
  leaves: '/p2p/leaves/',
  complete: true,
  assets: [{ url: `${origin}/0.ts`, digest, size: 5 }],
  ...more,
});

/** In place of the network: what is answered, and what was asked. */
function network(t: TestContext, answer: (url: string) => unknown) {
  const asked: { url: string; credentials: RequestCredentials | undefined }[] = [];
  const fetched = mock.method(globalThis, 'fetch', async (url: string, init?: RequestInit) => {
    asked.push({ url, credentials: init?.credentials });
    const given = await answer(url);
    if (given instanceof Error) throw given;
    const response = given instanceof Response ? given : new Response(JSON.stringify(given));
    return Object.defineProperty(response, 'url', { value: url });
  });
  t.after(() => fetched.mock.restore());
  return asked;
}

/** Waits until nothing is under way that needs no timer. */
async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

test('a media playlist without tags is asked about once, without credentials, and names its segments', async (t) => {
  const origin = freshOrigin();
  const url = `${origin}/index.m3u8?a=1&b=2`;
  const asked = network(t, () =>
    listOf(origin, {
      assets: [
        { url: `${origin}/0.ts`, digest, size: 5 },
        { url: `${origin}/all.ts`, start: 100, digest, size: 50 },
      ],
    }),
  );
  note(meshOf(), { url, text: VOD });
  note(meshOf(), { url, text: VOD });
  await settled();
  note(meshOf(), { url, text: VOD });
  assert.deepEqual(asked, [{ url: `${SERVER}/p2p/digests?playlist=${encodeURIComponent(url)}`, credentials: 'omit' }]);
  const leavesUrl = `${SERVER}/p2p/leaves/${digest}`;
  assert.deepEqual(nameOfFragment(fragmentAt(`${origin}/0.ts`)), { digest, size: 5, leavesUrl });
  assert.deepEqual(nameOfFragment(fragmentAt(`${origin}/all.ts`, 100, 150)), { digest, size: 50, leavesUrl });
  assert.equal(nameOfFragment(fragmentAt(`${origin}/all.ts`, 0, 100)), null);
  assert.equal(nameOfFragment(fragmentAt(`${origin}/1.ts`)), null);
});

test('a tag counts more than what the service says', async (t) => {
  const origin = freshOrigin();
  network(t, () => listOf(origin));
  note(meshOf(), { url: `${origin}/index.m3u8`, text: VOD });
  await settled();
  const tag = formatDigestTag({ digest: 'b'.repeat(64) as Digest, size: 7 });
  const tagList = [[tag.slice(1, tag.indexOf(':')), tag.slice(tag.indexOf(':') + 1)]] as [string, string][];
  assert.equal(nameOfFragment({ ...fragmentAt(`${origin}/0.ts`), tagList })?.size, 7);
});

test('a service that is not there, or does not take this origin, is asked once for a page visit', async (t) => {
  for (const status of [404, 403]) {
    const origin = freshOrigin();
    const asked = network(t, () => new Response('no', { status }));
    for (const name of ['a', 'b', 'c']) {
      note(meshOf(), { url: `${origin}/${name}.m3u8`, text: LIVE });
      await settled();
    }
    assert.equal(asked.length, 1, String(status));
    await named({ ...fragmentAt(`${origin}/0.ts`), baseurl: `${origin}/a.m3u8` }, 60_000); // at once
  }
});

test('one that fails, or speaks nonsense, is left alone for a minute; nobody waits for it', async (t) => {
  for (const answer of [
    new Error('no network'),
    new Response('', { status: 502 }),
    { version: 2 },
    new Response('<html>'),
  ]) {
    const origin = freshOrigin();
    const asked = network(t, () => answer);
    const ask = async (): Promise<void> => {
      note(meshOf(), { url: `${origin}/live.m3u8`, text: LIVE });
      await settled();
    };
    await ask();
    await named({ ...fragmentAt(`${origin}/0.ts`), baseurl: `${origin}/live.m3u8` }, 60_000);
    const now = performance.now();
    const clock = mock.method(performance, 'now', () => now + 50_000);
    await ask();
    assert.equal(asked.length, 1);
    clock.mock.mockImplementation(() => now + 70_000);
    await ask();
    clock.mock.restore();
    assert.equal(asked.length, 2);
  }
});

test('one that is busy is asked again in a moment', async (t) => {
  const origin = freshOrigin();
  const asked = network(t, () => new Response('', { status: 503 }));
  const ask = async (): Promise<void> => {
    note(meshOf(), { url: `${origin}/live.m3u8`, text: LIVE });
    await settled();
  };
  await ask();
  const now = performance.now();
  const clock = mock.method(performance, 'now', () => now + 1500);
  t.after(() => clock.mock.restore());
  await ask();
  assert.equal(asked.length, 1);
  clock.mock.mockImplementation(() => now + 4000);
  await ask();
  assert.equal(asked.length, 2);
});

test('of a live playlist each new version is asked about, but no more often than once a second', async (t) => {
  const origin = freshOrigin();
  const asked = network(t, () => listOf(origin));
  const now = performance.now();
  const clock = mock.method(performance, 'now', () => now);
  t.after(() => clock.mock.restore());
  const times: number[] = [];
  for (const later of [0, 400, 999, 1000, 1500, 2000]) {
    clock.mock.mockImplementation(() => now + later);
    const before = asked.length;
    note(meshOf(), { url: `${origin}/live.m3u8`, text: LIVE });
    await settled();
    if (asked.length > before) times.push(later);
  }
  assert.deepEqual(times, [0, 1000, 2000]);
});

test('the server is told what is watched when the viewer agrees, and is never asked about its own playlists', async (t) => {
  const origin = freshOrigin();
  const asked = network(t, () => listOf(origin));
  let server: string | null = null;
  const mesh = { server: () => Promise.resolve(server) } as unknown as MeshFace;
  note(mesh, { url: `${origin}/index.m3u8`, text: VOD });
  note(meshOf(), { url: `${SERVER}/media/index.m3u8`, text: VOD });
  await settled();
  assert.deepEqual(asked, []);
  server = SERVER;
  const later = performance.now() + 1500;
  const clock = mock.method(performance, 'now', () => later);
  t.after(() => clock.mock.restore());
  await named(fragmentAt(`${origin}/0.ts`), 60_000);
  assert.equal(asked.length, 1);
});

test('who waits for a name has it with the answer, or with a later one', async (t) => {
  const origin = freshOrigin();
  let answers = 0;
  network(t, () => (++answers === 1 ? listOf(origin, { complete: false, assets: [] }) : listOf(origin)));
  note(meshOf(), { url: `${origin}/index.m3u8`, text: VOD });
  const fragment = fragmentAt(`${origin}/0.ts`);
  await named(fragment, 60_000);
  assert.equal(answers, 2);
  assert.ok(names.has(nameKey(fragment)));
});

/** A segment of five bytes that came without a name, and what the mesh was given of it. */
function namelessAt(url: string, size = 5): { nameless: Nameless; kept: { url: string; asset: Kept }[] } {
  const kept: { url: string; asset: Kept }[] = [];
  const mesh = { ...meshOf(), keep: (url: string, asset: Kept) => void kept.push({ url, asset }) };
  const asset = { body: new ArrayBuffer(size), contentType: 'video/mp2t' };
  return { nameless: { source: { mesh, swarm: 'lesson' }, fragment: fragmentAt(url), asset }, kept };
}

/** Long after whatever other tests asked. */
let now = 1e9;

/** Timers, and a clock, of the test's own. @returns lets time pass */
function ownTime(t: TestContext): (milliseconds: number) => Promise<void> {
  now += 1e6;
  const clock = mock.method(performance, 'now', () => now);
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => {
    clock.mock.restore();
    mock.timers.reset();
  });
  return async (milliseconds) => {
    for (let passed = 0; passed < milliseconds; passed += 250) {
      now += 250;
      mock.timers.tick(250);
      await settled();
    }
  };
}

const NOTHING_YET = { complete: false, assets: [] };

test('a segment that came before its digest is handed out once it is known, though nobody waits any more', async (t) => {
  const after = ownTime(t);
  const origin = freshOrigin();
  const answers = [listOf(origin, NOTHING_YET), listOf(origin, NOTHING_YET)];
  const asked = network(t, () => answers.shift() ?? listOf(origin));
  note(meshOf(), { url: `${origin}/index.m3u8`, text: VOD });
  const { nameless, kept } = namelessAt(`${origin}/0.ts`);
  awaitName(nameless);
  await after(1500);
  assert.deepEqual([asked.length, kept], [2, []]);
  await after(60_000);
  const name = { digest, size: 5, leavesUrl: `${SERVER}/p2p/leaves/${digest}` };
  assert.deepEqual(kept, [{ url: `${origin}/0.ts`, asset: { ...nameless.asset, name, swarm: 'lesson' } }]);
  assert.equal(asked.length, 3, 'and then nobody is asked any more');
});

test('one whose digest came while it loaded is handed out at once', async (t) => {
  const origin = freshOrigin();
  network(t, () => listOf(origin));
  note(meshOf(), { url: `${origin}/index.m3u8`, text: VOD });
  await settled();
  const { nameless, kept } = namelessAt(`${origin}/0.ts`);
  awaitName(nameless);
  assert.equal(kept.length, 1);
});

test('a service that was busy is asked again for what waits', async (t) => {
  const after = ownTime(t);
  const origin = freshOrigin();
  const answers = [new Response('', { status: 503 })];
  network(t, () => answers.shift() ?? listOf(origin));
  note(meshOf(), { url: `${origin}/index.m3u8`, text: VOD });
  await settled();
  const { nameless, kept } = namelessAt(`${origin}/0.ts`);
  awaitName(nameless);
  await after(10_000);
  assert.equal(kept.length, 1);
});

test('segments wait for their digests for a minute, and no more of them than 16 MiB beside those that have one', async (t) => {
  const after = ownTime(t);
  const origin = freshOrigin();
  const all = [0, 1, 2, 3].map((n) => ({ url: `${origin}/${n}.ts`, digest, size: 5 }));
  let assets = all.slice(3);
  const asked = network(t, () => listOf(origin, { complete: false, assets }));
  note(meshOf(), { url: `${origin}/index.m3u8`, text: VOD });
  await settled();
  const [first, second, third, known] = [0, 1, 2, 3].map((n) => namelessAt(`${origin}/${n}.ts`, 7 * 1024 * 1024));
  for (const { nameless } of [second!, first!, known!, second!, third!]) awaitName(nameless);
  // The first is too much now: it is older than the second, which was loaded again.
  assert.equal(known!.kept.length, 1);
  await after(40_000);
  assets = all.slice(0, 2);
  await after(15_000);
  assert.deepEqual([first!.kept.length, second!.kept.length], [0, 1]);
  await after(10_000);
  const { length } = asked;
  assets = all;
  await after(100_000);
  assert.deepEqual([third!.kept.length, asked.length], [0, length], 'nothing waits any more');
});

test('for what waits the service is asked less and less often, about the playlist alone that lists it', async (t) => {
  const after = ownTime(t);
  const origin = freshOrigin();
  const asked = network(t, () => listOf(origin, NOTHING_YET));
  for (const name of ['index', 'other', 'live'])
    note(meshOf(), { url: `${origin}/${name}.m3u8`, text: name === 'live' ? LIVE : VOD });
  await settled();
  assert.equal(asked.length, 3);
  awaitName(namelessAt(`${origin}/0.ts`).nameless);
  const { nameless } = namelessAt(`${origin}/1.ts`);
  awaitName({ ...nameless, fragment: { ...nameless.fragment, baseurl: `${origin}/live.m3u8` } });
  await after(90_000);
  const later = asked.slice(3).map(({ url }) => decodeURIComponent(url));
  assert.ok(
    later.every((url) => url.endsWith('/index.m3u8')),
    later.join(' '),
  );
  assert.ok(later.length >= 6 && later.length <= 7, `${later.length} times`); // after 1, 3, 7, 15, 31, 47 s, and once more
});

test('of a playlist that has told all, or whose origin is refused, nothing waits', async (t) => {
  for (const answer of [new Response('', { status: 404 }), listOf('https://other.example')]) {
    const origin = freshOrigin();
    const asked = network(t, () => answer);
    note(meshOf(), { url: `${origin}/index.m3u8`, text: VOD });
    await settled();
    const { nameless, kept } = namelessAt(`${origin}/0.ts`);
    awaitName(nameless);
    names.set(nameKey(nameless.fragment), { digest, size: 5 });
    awaitName(namelessAt(`${origin}/1.ts`).nameless);
    assert.deepEqual([kept, asked.length], [[], 1]);
  }
});

test('only what may be shared is kept for its digest, and the player keeps its own copy', async (t) => {
  const origin = freshOrigin();
  let resolve: (list: DigestList) => void = () => undefined;
  const answer = new Promise((done) => (resolve = done));
  const asked = network(t, () => answer);
  const { nameless, kept } = namelessAt(`${origin}/0.ts`);
  const { source, fragment } = nameless;
  noteUntagged(source.mesh, { url: `${origin}/index.m3u8`, text: VOD });
  while (asked.length === 0) await settled(); // what asks is loaded first
  const body = Uint8Array.from([1, 2, 3, 4, 5]).buffer;
  const asset = { body, contentType: 'video/mp2t', source: 'origin', shared: false, url: '' } as const;
  shareOnceNamed({ ...source, swarm: null }, fragment, { ...asset, shareable: true });
  shareOnceNamed(source, fragmentAt(`${origin}/1.ts`), asset);
  shareOnceNamed(source, fragmentAt(`${origin}/2.ts`), { ...asset, shareable: false });
  structuredClone(body, { transfer: [body] });
  await settled();
  resolve(listOf(origin, { assets: [0, 1, 2].map((n) => ({ url: `${origin}/${n}.ts`, digest, size: 5 })) }));
  await settled();
  assert.deepEqual(
    kept.map(({ url, asset }) => [url, ...new Uint8Array(asset.body)]),
    [[`${origin}/0.ts`, 1, 2, 3, 4, 5]],
  );
  assert.ok(!('swarm' in kept[0]!.asset));
});

test('a playlist with tags, and a multivariant one, is never asked about', async (t) => {
  const asked = network(t, () => listOf(SERVER));
  const url = `${freshOrigin()}/index.m3u8`;
  noteUntagged(meshOf(), { url, text: `#EXTM3U\n${formatDigestTag({ digest, size: 5 })}\n#EXTINF:2,\n0.ts\n` });
  noteUntagged(meshOf(), { url, text: '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow.m3u8\n' });
  await nameSoon(fragmentAt(`${url}/0.ts`));
  await settled();
  assert.deepEqual(asked, []);
});

test('what is needed at once waits for 0.3 s in all, what is needed later longer; what has come is not waited for', async (t) => {
  const origin = freshOrigin();
  const asked = network(t, () => new Promise(() => undefined));
  noteUntagged(meshOf(), { url: `${origin}/index.m3u8`, text: VOD });
  while (asked.length === 0) await settled(); // what asks is loaded first
  // Long after whatever waited in other tests.
  const start = performance.now() + 1e6;
  const clock = mock.method(performance, 'now', () => start);
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => {
    clock.mock.restore();
    mock.timers.reset();
  });
  const waits = async (later: number, deadline: number | undefined): Promise<number> => {
    let waited = 0;
    clock.mock.mockImplementation(() => start + later + waited);
    const waiting = { isOver: false };
    void nameSoon(fragmentAt(`${origin}/0.ts`), deadline)?.then(() => (waiting.isOver = true));
    await settled();
    while (!waiting.isOver && waited < 5000) {
      mock.timers.tick(1);
      waited++;
      await settled();
    }
    return waited;
  };
  const rounded = async (later: number, deadline?: number): Promise<number> =>
    Math.round((await waits(later, deadline)) / 50) * 50;
  assert.equal(await rounded(0), NAME_PATIENCE_MS);
  assert.equal(await rounded(200), 100);
  assert.equal(await rounded(301, 0), 0);
  assert.equal(await rounded(5000, 0), 0);
  assert.equal(await rounded(5000, 4000), 1000);
  assert.equal(await rounded(5000, 60_000), NAME_SPARE_MS);
  assert.equal(await rounded(NAME_PATIENCE_MS + NAME_PATIENCE_PAUSE_MS + 1, 0), NAME_PATIENCE_MS);
  names.set(nameKey(fragmentAt(`${origin}/0.ts`)), { digest, size: 5 });
  assert.equal(nameSoon(fragmentAt(`${origin}/0.ts`)), undefined);
});
