import assert from 'node:assert/strict';
import { mock, test, type TestContext } from 'node:test';
import {
  type FragmentLoaderContext,
  type HlsConfig,
  type LoaderConfiguration,
  type LoaderStats,
  LoaderContextType,
  type PlaylistLoaderContext,
} from 'hls.js';
import { fragmentLoader } from '../../../components/hls/fragment-loader.ts';
import { names } from '../../../components/hls/names.ts';
import { noteUntagged } from '../../../components/hls/untagged.ts';
import { until } from '../../harness/until.ts';
import { statusOf } from '../../../components/hls/mesh-loader.ts';
import { PlaylistCache } from '../../../components/hls/playlist-cache.ts';
import { playlistLoader } from '../../../components/hls/playlist-loader.ts';
import type { LoadedAsset, LoadOptions, MeshFace } from '../../../mesh/page/types.ts';
import { P2PError } from '../../../protocol/error.ts';
import type { Digest } from '../../../protocol/ids.ts';
import { formatDigestTag } from '../../../protocol/playlist-tag.ts';

const NAME = { digest: 'a'.repeat(64) as Digest, size: 5 };
const CONFIG = {
  loadPolicy: { maxTimeToFirstByteMs: 1000, maxLoadTimeMs: 5000, timeoutRetry: null, errorRetry: null },
} as LoaderConfiguration;

function fragmentOf({
  range,
  asked = range,
  tag = formatDigestTag(NAME),
  part = null,
}: {
  range?: [number, number];
  asked?: [number, number] | undefined;
  tag?: string;
  part?: unknown;
} = {}): FragmentLoaderContext {
  const tagList = [
    ['INF', '2'],
    [tag.slice(1, tag.indexOf(':')), tag.slice(tag.indexOf(':') + 1)],
  ];
  const frag = { tagList, byteRange: range ?? [], start: 12, duration: 4 };
  return {
    url: 'https://a/0.ts',
    frag,
    part,
    responseType: 'arraybuffer',
    type: LoaderContextType.MEDIA_FRAGMENT,
    ...(asked && { rangeStart: asked[0], rangeEnd: asked[1] }),
  } as unknown as FragmentLoaderContext;
}

/** A loader of one segment with a mesh whose answer the test gives. */
function loadFragment(
  context = fragmentOf(),
  {
    deadline = 3000,
    swarm = 'lesson',
    countsWaiting = true,
    progressive = true,
  }: { deadline?: number | null; swarm?: string | null; countsWaiting?: boolean; progressive?: boolean } = {},
) {
  const seen = {
    options: {} as LoadOptions,
    url: '',
    failures: 0,
    events: [] as string[],
    chunks: [] as number[][],
    data: null as unknown,
    error: null as unknown,
    stats: {} as LoaderStats,
  };
  let settle: { resolve: (asset: LoadedAsset) => void; reject: (error: unknown) => void };
  const load = (url: string, options: LoadOptions): Promise<LoadedAsset> => {
    if (options.signal?.aborted) return Promise.reject(options.signal.reason as Error);
    Object.assign(seen, { options, url });
    return new Promise((resolve, reject) => (settle = { resolve, reject }));
  };
  const Loader = fragmentLoader({
    mesh: { load } as unknown as MeshFace,
    swarm,
    countsWaiting,
    deadlineOf: () => deadline ?? undefined,
    onFailure: () => seen.failures++,
  });
  const loader = new Loader({} as HlsConfig);
  loader.load(context, CONFIG, {
    onSuccess: ({ data }, stats) => void (seen.events.push('success'), Object.assign(seen, { data, stats })),
    onError: (error) => void (seen.events.push('error'), Object.assign(seen, { error })),
    onTimeout: (stats) => void (seen.events.push('timeout'), Object.assign(seen, { stats })),
    onAbort: (stats) => void (seen.events.push('abort'), Object.assign(seen, { stats })),
    ...(progressive && {
      onProgress: (_stats, _context, chunk) =>
        void (seen.events.push('progress'), seen.chunks.push([...new Uint8Array(chunk as ArrayBuffer)])),
    }),
  });
  const answer = (body = new ArrayBuffer(5)): void =>
    settle.resolve({ body, contentType: '', source: 'peers', shared: true, url: 'https://b/0.ts' });
  return { loader, seen, answer, fail: (error: unknown) => settle.reject(error) };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function fakeTime(t: TestContext): void {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
}

test('a segment is asked for by the name in its tag, with swarm and deadline', () => {
  const { loader, seen } = loadFragment();
  assert.equal(seen.url, 'https://a/0.ts');
  const { name, swarm, deadline, range } = seen.options;
  assert.deepEqual({ name, swarm, deadline, range }, { name: NAME, swarm: 'lesson', deadline: 3000, range: undefined });
  loader.destroy();
});

test('a byte range goes with the name of just these bytes', () => {
  const { loader, seen } = loadFragment(fragmentOf({ range: [100, 105] }));
  assert.deepEqual(seen.options.range, { start: 100, end: 105 });
  assert.deepEqual(seen.options.name, NAME);
  loader.destroy();
});

test('a range without a tag, with the tag of the whole file, or with more bytes than the segment has, goes without a name', () => {
  for (const context of [
    fragmentOf({ range: [100, 105], tag: '#EXT-X-OTHER:1' }),
    fragmentOf({ range: [100, 200] }),
    fragmentOf({ range: [100, 105], asked: [84, 112] }),
    fragmentOf({ asked: [100, 105] }),
  ]) {
    const { loader, seen } = loadFragment(context);
    assert.equal(seen.options.range?.end, context.rangeEnd);
    assert.equal(seen.options.name, undefined);
    loader.destroy();
  }
});

test('a segment without a tag, and a part of one, have no name', () => {
  for (const context of [fragmentOf({ tag: '#EXT-X-OTHER:1' }), fragmentOf({ part: { start: 12 } })]) {
    const { loader, seen } = loadFragment(context);
    assert.equal(seen.options.name, undefined);
    loader.destroy();
  }
});

test('what is not known is not said', () => {
  const { loader, seen } = loadFragment(fragmentOf(), { deadline: null, swarm: null });
  assert.ok(!('deadline' in seen.options) && !('swarm' in seen.options));
  loader.destroy();
});

test('a body is reported as by the loader of hls.js: progress, then success, with times and sizes', async () => {
  const { seen, answer } = loadFragment();
  const body = new ArrayBuffer(5);
  answer(body);
  await turn();
  assert.deepEqual(seen.events, ['progress', 'success']);
  assert.equal(seen.data, body);
  const { loaded, total, loading, bwEstimate, aborted } = seen.stats;
  assert.deepEqual({ loaded, total, bwEstimate, aborted }, { loaded: 5, total: 5, bwEstimate: 0, aborted: false });
  assert.ok(loading.start > 0 && loading.first >= loading.start && loading.end >= loading.first);
});

test("the origin's status is the error's code; no answer is 0", async () => {
  const { seen, fail } = loadFragment();
  fail(new P2PError('origin-failed', 'HTTP 404', { status: 404 }));
  await turn();
  assert.deepEqual(seen.events, ['error']);
  assert.deepEqual(seen.error, { code: 404, text: 'HTTP 404' });
  assert.equal(seen.failures, 1);
  assert.equal(statusOf(new TypeError('Failed to fetch')), 0);
  assert.equal(statusOf(new P2PError('origin-failed', 'gone')), 0);
});

test('abort ends the load, is reported once, and nothing follows', async () => {
  const { loader, seen, answer } = loadFragment();
  loader.abort();
  answer();
  await turn();
  assert.deepEqual(seen.events, ['abort']);
  assert.equal(seen.options.signal?.aborted, true);
  assert.equal(seen.stats.aborted, true);
  assert.equal(seen.failures, 0);
});

test('destroy ends the load without a word', async () => {
  const { loader, seen, fail } = loadFragment();
  loader.destroy();
  fail(new Error('aborted'));
  await turn();
  assert.deepEqual(seen.events, []);
  assert.equal(seen.options.signal?.aborted, true);
});

test('destroy after success does not call it aborted', async () => {
  const { loader, seen, answer } = loadFragment();
  answer();
  await turn();
  loader.destroy();
  assert.equal(seen.stats.aborted, false);
});

test('no first byte in time is a timeout', (t) => {
  fakeTime(t);
  const { seen } = loadFragment();
  mock.timers.tick(999);
  assert.deepEqual(seen.events, []);
  mock.timers.tick(1);
  assert.deepEqual(seen.events, ['timeout']);
  assert.equal(seen.options.signal?.aborted, true);
});

test('bytes in time give the rest of the load the longer limit', (t) => {
  fakeTime(t);
  const { seen } = loadFragment();
  seen.options.onProgress?.(1, 5);
  mock.timers.tick(1000);
  assert.deepEqual(seen.events, []);
  mock.timers.tick(4000);
  assert.deepEqual(seen.events, ['timeout']);
  assert.equal(seen.stats.total, 5);
});

test("waiting for others does not count as the line's slowness, unless hls.js is to judge by itself", async () => {
  for (const countsWaiting of [false, true]) {
    const { seen, answer } = loadFragment(fragmentOf(), { countsWaiting });
    await new Promise((resolve) => setTimeout(resolve, 20));
    seen.options.onProgress?.(1, 5);
    answer();
    await turn();
    const { start, first, end } = seen.stats.loading;
    assert.ok(end >= first && (countsWaiting ? first - start > 10 : first === start));
  }
});

test('a segment is given to hls.js while it comes, each byte once, and is whole in the end', async (t) => {
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  const { seen, answer } = loadFragment(fragmentOf(), { deadline: 0 });
  assert.equal(seen.options.streamed, true);
  for (const bytes of [[1], [2], [3, 4]]) {
    seen.options.onProgress?.(0, 5, Uint8Array.from(bytes).buffer);
    now += 10;
  }
  answer(Uint8Array.of(1, 2, 3, 4, 5).buffer);
  await turn();
  assert.deepEqual(seen.chunks.flat(), [1, 2, 3, 4, 5]);
  assert.ok(seen.chunks.length > 1);
  assert.deepEqual([...new Uint8Array(seen.data as ArrayBuffer)], [1, 2, 3, 4, 5]);
  assert.equal(seen.events.at(-1), 'success');
});

test('a segment that hls.js wants at once, that has no name, or that is needed later is not asked for in chunks', () => {
  for (const { seen, loader } of [
    loadFragment(fragmentOf(), { deadline: 0, progressive: false }),
    loadFragment(fragmentOf({ tag: '#EXT-X-OTHER:1' }), { deadline: 0 }),
    loadFragment(fragmentOf({ part: { start: 12, duration: 1 } }), { deadline: 0 }),
    loadFragment(fragmentOf(), { deadline: 1 }),
  ]) {
    assert.equal(seen.options.streamed, false);
    loader.destroy();
  }
});

test('a load that was aborted gives nothing any more', () => {
  const { seen, loader } = loadFragment(fragmentOf(), { deadline: 0 });
  loader.abort();
  for (const at of [1, 2, 3]) seen.options.onProgress?.(at, 5, new ArrayBuffer(1));
  assert.deepEqual([seen.chunks, seen.events], [[], ['abort']]);
});

test('progress without bytes is no first byte', (t) => {
  fakeTime(t);
  const { seen } = loadFragment();
  seen.options.onProgress?.(0, 0);
  mock.timers.tick(1000);
  assert.deepEqual(seen.events, ['timeout']);
});

test('a playlist comes as text with the URL after redirects', async () => {
  const body = new TextEncoder().encode('#EXTM3U\n').buffer;
  const load = (): Promise<LoadedAsset> =>
    Promise.resolve({ body, contentType: '', source: 'origin', shared: false, url: 'https://b/x.m3u8' });
  const Loader = playlistLoader(new PlaylistCache({ load } as unknown as MeshFace), 'lesson');
  const context = {
    url: 'https://a/x.m3u8',
    type: LoaderContextType.MANIFEST,
    responseType: 'text',
  } as PlaylistLoaderContext;
  const response = await new Promise<unknown>((resolve, reject) => {
    new Loader({} as HlsConfig).load(context, CONFIG, { onSuccess: resolve, onError: reject, onTimeout: reject });
  });
  assert.deepEqual(response, { url: 'https://b/x.m3u8', data: '#EXTM3U\n', code: 200 });
});

test('segments of an encrypted stream are given to hls.js at one go', async () => {
  for (const [key, progressive] of [
    ['', true],
    ['#EXT-X-KEY:METHOD=NONE\n', true],
    ['#EXT-X-KEY:METHOD=AES-128,URI="k"\n', false],
  ] as const) {
    const body = new TextEncoder().encode(`#EXTM3U\n${key}#EXTINF:2,\n0.ts\n`).buffer;
    const load = (): Promise<LoadedAsset> =>
      Promise.resolve({ body, contentType: '', source: 'origin', shared: false, url: 'https://a/x.m3u8' });
    const Loader = playlistLoader(new PlaylistCache({ load } as unknown as MeshFace), 'lesson');
    const config = { progressive: true } as HlsConfig;
    const context = { url: 'https://a/x.m3u8', type: LoaderContextType.LEVEL } as PlaylistLoaderContext;
    await new Promise<unknown>((resolve, reject) => {
      new Loader(config).load(context, CONFIG, { onSuccess: resolve, onError: reject, onTimeout: reject });
    });
    assert.equal(config.progressive, progressive, key);
  }
});

test('a segment whose digest the service may know waits for it, shortly; one that is not wanted any more is not asked for', async (t) => {
  const untagged = fragmentOf({ tag: '#EXT-X-OTHER:1' });
  Object.assign(untagged.frag, { url: untagged.url });
  t.after(() => names.clear());
  const server = { server: () => new Promise(() => undefined) } as unknown as MeshFace;
  noteUntagged(server, { url: 'https://a/index.m3u8', text: '#EXTM3U\n#EXTINF:2,\n0.ts\n#EXT-X-ENDLIST\n' });
  const patient = loadFragment(untagged, { deadline: 20_000 });
  const dropped = loadFragment(untagged, { deadline: 20_000 });
  assert.equal(patient.seen.url, '');
  dropped.loader.abort();
  names.set('https://a/0.ts ', NAME);
  await until('the request', () => patient.seen.url !== '');
  assert.deepEqual(patient.seen.options.name, NAME);
  assert.equal(dropped.seen.url, '');
  const known = loadFragment(untagged);
  assert.deepEqual(known.seen.options.name, NAME);
  for (const { loader } of [patient, known]) loader.destroy();
});
