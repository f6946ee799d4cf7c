import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Description, DigestService } from '../../../server/digest-service/digest-service.ts';
import {
  FAILED_PLAYLIST_MS,
  LIVE_LOOK_MS,
  MAX_QUERY_VARIANTS,
  NEW_PLAYLISTS_AT_ONCE,
  VARIANT_IDLE_MS,
  VOD_FRESH_MS,
} from '../../../server/digest-service/limits.ts';
import { MAX_PLAYLIST_BYTES } from '../../../server/limits.ts';
import { bytes, folderOf, nameOfBytes, until, vod } from '../support.ts';
import { live, origin, resolvesTo, service, type Handler, type Origin } from './support.ts';

const START = 1_800_000_000_000;

/** So many segments `/s0.ts`, …, each with other bytes. */
const segments = (count: number, first = 0): Record<string, Uint8Array> =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`/s${first + i}.ts`, bytes(70_000, first + i + 1)]));

type Known = Extract<Description, { kind: 'known' }>;

async function known(from: DigestService, url: string): Promise<Known> {
  const description = await from.describe(url);
  assert.equal(description.kind, 'known', JSON.stringify(description));
  return description;
}

const settled = (from: DigestService, url: string): Promise<Known> =>
  until('all digests', async () => {
    const description = await known(from, url);
    return description.isSettled && description;
  });

/** The last part of each URL, in order. */
const names = ({ assets }: Known): string[] => assets.map(({ asset }) => asset.url.replace(/^.*\//, ''));

const count = ({ asked }: Origin, path: string): number => asked.filter((one) => one === path).length;

test('a playlist gives the digests of its segments, each fetched once, however many ask', async (t) => {
  const made = await origin(t, { '/vod.m3u8': vod(5), ...segments(5) });
  const digests = service(t, [made.url]);
  await Promise.all(Array.from({ length: 30 }, () => known(digests, `${made.url}/vod.m3u8`)));
  const all = await settled(digests, `${made.url}/vod.m3u8`);
  assert.deepEqual(names(all), ['s0.ts', 's1.ts', 's2.ts', 's3.ts', 's4.ts']);
  for (const [index, { name }] of all.assets.entries()) {
    const { digest, size, leaves } = await nameOfBytes(bytes(70_000, index + 1));
    assert.deepEqual(name, { digest, size });
    assert.deepEqual(await digests.leaves(digest), leaves);
  }
  assert.deepEqual([...made.asked].sort(), ['/s0.ts', '/s1.ts', '/s2.ts', '/s3.ts', '/s4.ts', '/vod.m3u8']);
});

test('the first digest is told while the others are still to come', async (t) => {
  let give = (): void => undefined;
  const slow: Handler = (_request, response) => (give = () => response.end('late'));
  const made = await origin(t, { '/vod.m3u8': vod(2), '/s0.ts': 'hello', '/s1.ts': slow });
  const digests = service(t, [made.url]);
  const first = await known(digests, `${made.url}/vod.m3u8`);
  assert.deepEqual([names(first), first.isSettled], [['s0.ts'], false]);
  await until('the request', () => made.asked.includes('/s1.ts'));
  give();
  assert.deepEqual(names(await settled(digests, `${made.url}/vod.m3u8`)), ['s0.ts', 's1.ts']);
});

test('a multivariant playlist gives those of all its media playlists, which need no place of their own', async (t) => {
  const master = `#EXTM3U\n${['low', 'high'].map((one) => `#EXT-X-STREAM-INF:BANDWIDTH=1\n${one}.m3u8\n`).join('')}`;
  const made = await origin(t, {
    '/index.m3u8': master,
    '/low.m3u8': '#EXTM3U\n#EXTINF:4,\nlow.ts\n#EXTINF:4,\nboth.ts\n#EXT-X-ENDLIST\n',
    '/high.m3u8': '#EXTM3U\n#EXT-X-MAP:URI="high.mp4"\n#EXTINF:4,\nboth.ts\n#EXT-X-ENDLIST\n',
    ...{ '/low.ts': 'low', '/high.mp4': 'init', '/both.ts': 'both' },
  });
  const digests = service(t, [made.url]);
  const all = await settled(digests, `${made.url}/index.m3u8`);
  assert.deepEqual(names(all).sort(), ['both.ts', 'both.ts', 'high.mp4', 'low.ts']);
  assert.equal(count(made, '/both.ts'), 1);
  await known(digests, `${made.url}/low.m3u8#fragment`);
  assert.equal(count(made, '/low.m3u8'), 1);
});

test('what no playlist lists is not fetched, nor what is no playlist', async (t) => {
  const made = await origin(t, {
    '/secret.ts': 'secret',
    '/text.m3u8': 'hello',
    '/binary.m3u8': Uint8Array.of(0x23, 0x45, 0xff, 0xfe),
    '/large.m3u8': `#EXTM3U\n${'#'.repeat(MAX_PLAYLIST_BYTES)}`,
  });
  const digests = service(t, [made.url]);
  for (const path of ['/secret.ts', '/text.m3u8', '/binary.m3u8', '/large.m3u8', '/missing.m3u8'])
    assert.equal((await digests.describe(made.url + path)).kind, 'failed', path);
  assert.equal(digests.counters.hashed, 0);
});

test('a playlist that failed is asked for again only after a while, and may then be one', async (t) => {
  const made = await origin(t);
  const clock = { at: START };
  const digests = service(t, [made.url], { clock });
  const url = `${made.url}/vod.m3u8`;
  for (let i = 0; i < 5; i++) assert.equal((await digests.describe(url)).kind, 'failed');
  assert.equal(made.asked.length, 1);
  made.files.set('/vod.m3u8', vod(1)).set('/s0.ts', 'hello');
  clock.at += FAILED_PLAYLIST_MS;
  assert.deepEqual(names(await known(digests, url)), ['s0.ts']);
});

test('a VOD playlist is looked at anew after a minute, and stays as it was if it can not be', async (t) => {
  const made = await origin(t, { '/vod.m3u8': vod(1), ...segments(2) });
  const clock = { at: START };
  const digests = service(t, [made.url], { clock });
  const url = `${made.url}/vod.m3u8`;
  await settled(digests, url);
  await known(digests, url);
  assert.equal(count(made, '/vod.m3u8'), 1);
  made.files.set('/vod.m3u8', vod(2));
  clock.at += VOD_FRESH_MS;
  await until('the new segment', async () => names(await known(digests, url)).length === 2);
  made.files.delete('/vod.m3u8');
  clock.at += VOD_FRESH_MS;
  assert.equal(names(await known(digests, url)).length, 2);
  assert.equal(count(made, '/s0.ts'), 1);
});

test('a live playlist is looked at when somebody asks, and new segments are hashed before the answer', async (t) => {
  const made = await origin(t, { '/live.m3u8': live(0, 3, 60), ...segments(5) });
  const clock = { at: START };
  const digests = service(t, [made.url], { clock });
  const url = `${made.url}/live.m3u8`;
  const first = await known(digests, url);
  // Nobody is to keep the answer, or to stop asking: there is always more to come.
  assert.deepEqual([names(first), first.isSettled], [['s0.ts', 's1.ts', 's2.ts'], false]);
  made.files.set('/live.m3u8', live(2, 3, 60));
  assert.deepEqual(names(await known(digests, url)), ['s0.ts', 's1.ts', 's2.ts']);
  clock.at += LIVE_LOOK_MS;
  assert.deepEqual(names(await known(digests, url)), ['s2.ts', 's3.ts', 's4.ts']);
  assert.equal(count(made, '/live.m3u8'), 2);
  assert.equal(count(made, '/s2.ts'), 1);
});

test('a live playlist is looked at by itself, too, while somebody asks now and then', async (t) => {
  const made = await origin(t, { '/live.m3u8': live(0, 3), ...segments(4) });
  const digests = service(t, [made.url]);
  await known(digests, `${made.url}/live.m3u8`);
  made.files.set('/live.m3u8', live(1, 3));
  await until('the new segment', () => made.asked.includes('/s3.ts'));
});

test('of a live playlist nobody asks for nothing is fetched any more', async (t) => {
  const made = await origin(t, { '/live.m3u8': live(0, 1), ...segments(1) });
  const clock = { at: START };
  const digests = service(t, [made.url], { clock });
  await known(digests, `${made.url}/live.m3u8?first`);
  clock.at += 3_600_000;
  const other = service(t, [made.url]);
  await known(other, `${made.url}/live.m3u8?other`);
  // Both look once a second.
  await until('two more looks of the other', () => count(made, '/live.m3u8?other') >= 3);
  assert.equal(count(made, '/live.m3u8?first'), 1);
});

test('a live answer waits a second at most for a segment that does not come', async (t) => {
  const made = await origin(t, { '/live.m3u8': live(0, 2), '/s1.ts': 'hello', '/s0.ts': () => undefined });
  const digests = service(t, [made.url]);
  const startedAt = performance.now();
  const description = await known(digests, `${made.url}/live.m3u8`);
  assert.ok(performance.now() - startedAt < 3000);
  assert.deepEqual([names(description), description.isSettled], [['s1.ts'], false]);
});

test('other origins, schemes and addresses are none of its business', async (t) => {
  const made = await origin(t, { '/vod.m3u8': vod(1) });
  const named = `http://cdn.example:${new URL(made.url).port}`;
  const digests = service(t, [named], { allowsPrivate: false, resolve: resolvesTo('127.0.0.1') });
  for (const url of [
    `${made.url}/vod.m3u8`,
    'file:///etc/passwd',
    'http://169.254.169.254/',
    `${named}/${'a'.repeat(3000)}`,
  ])
    assert.deepEqual(await digests.describe(url), { kind: 'forbidden' }, url);
  assert.equal((await digests.describe(`${named}/vod.m3u8`)).kind, 'failed');
  assert.equal(made.connections, 0);
});

test('whoever makes queries up gets no further than a few, and those only while others do not want them', async (t) => {
  const made = await origin(t, { '/vod.m3u8': vod(1), '/other.m3u8': vod(1), ...segments(1) });
  const clock = { at: START };
  const digests = service(t, [made.url], { clock });
  const ask = async (query: number, path = 'vod'): Promise<string> =>
    (await digests.describe(`${made.url}/${path}.m3u8?x=${query}`, `client ${query}`)).kind;
  for (let i = 0; i < MAX_QUERY_VARIANTS; i++) assert.equal(await ask(i), 'known');
  for (let i = 0; i < 100; i++) assert.equal(await ask(1000 + i), 'busy');
  assert.equal(await ask(0), 'known');
  assert.equal(await ask(0, 'other'), 'known');
  assert.equal(count(made, '/s0.ts'), 1);
  assert.equal(made.asked.length, MAX_QUERY_VARIANTS + 2);
  clock.at += VARIANT_IDLE_MS + 1;
  assert.equal(await ask(0), 'known');
  assert.equal(await ask(2000), 'known');
  assert.equal(digests.counters.playlists, MAX_QUERY_VARIANTS + 1);
});

test('whoever makes paths up is no more work than so many requests', async (t) => {
  const made = await origin(t);
  const digests = service(t, [made.url], { clock: { at: START } });
  const kinds = new Map<string, number>();
  for (let i = 0; i < 500; i++) {
    const { kind } = await digests.describe(`${made.url}/${i}.m3u8`, `client ${i}`);
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  assert.deepEqual(Object.fromEntries(kinds), { failed: NEW_PLAYLISTS_AT_ONCE, busy: 500 - NEW_PLAYLISTS_AT_ONCE });
  assert.equal(made.asked.length, NEW_PLAYLISTS_AT_ONCE);
});

test('after a restart the disk knows; what was changed there is fetched anew', async (t) => {
  const made = await origin(t, { '/vod.m3u8': vod(3), ...segments(3) });
  const cache = await folderOf(t);
  const url = `${made.url}/vod.m3u8`;
  const first = service(t, [made.url], { cache });
  const before = await settled(first, url);
  await first.close();
  const second = service(t, [made.url], { cache });
  assert.deepEqual(await settled(second, url), before);
  assert.equal(second.counters.hashed, 0);
  const [one] = before.assets;
  assert.ok(await second.leaves(one!.name.digest));
  await second.close();
  for (const file of await readdir(cache)) await writeFile(join(cache, file), 'not what it was');
  const third = service(t, [made.url], { cache });
  assert.deepEqual(await settled(third, url), before);
  assert.equal(third.counters.hashed, 3);
});

test('a folder that can not be used is said at once', async (t) => {
  const folder = await folderOf(t, { file: '' });
  assert.throws(() => service(t, ['https://cdn.example'], { cache: join(folder, 'file', 'below') }), {
    code: 'bad-flag',
  });
});

test('when it closes nothing goes on', async (t) => {
  const made = await origin(t, { '/vod.m3u8': vod(3), '/s0.ts': () => undefined, '/s1.ts': () => undefined });
  const digests = service(t, [made.url]);
  const asking = digests.describe(`${made.url}/vod.m3u8`);
  await until('a request', () => made.asked.includes('/s1.ts'));
  await digests.close();
  assert.equal((await asking).kind, 'known');
});
