import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { MAX_ASSET_BYTES } from '../../../protocol/limits.ts';
import { AssetDigests, freshMs, type Found } from '../../../server/digest-service/asset-digests.ts';
import {
  FAILED_ASSET_MS,
  MAX_FRESH_MS,
  MIN_FRESH_MS,
  REFUSED_ASSET_MS,
} from '../../../server/digest-service/limits.ts';
import { RecordCache } from '../../../server/digest-service/record-cache.ts';
import type { RemoteAsset } from '../../../server/digest-service/remote-asset.ts';
import { bytes, nameOfBytes, until } from '../support.ts';
import { origin, reader, type Handler, type Origin } from './support.ts';

const START = 1_800_000_000_000;
const WANTED = { wants: () => true };

async function setting(t: TestContext, files: Record<string, string | Uint8Array | Handler>) {
  const made = await origin(t, files);
  const clock = { at: START };
  const controller = new AbortController();
  t.after(() => controller.abort());
  const digests = new AssetDigests({
    reader: reader(t, [made.url]),
    cache: new RecordCache(),
    signal: controller.signal,
    now: () => clock.at,
  });
  const find = (path: string, range?: RemoteAsset['range'], owner = WANTED): Promise<Found> =>
    digests.find({ url: made.url + path, range }, owner);
  return { origin: made, digests, clock, find };
}

const headers =
  (all: Record<string, string>, status = 200, body: string | Buffer = 'hello'): Handler =>
  (_request, response) =>
    response.writeHead(status, all).end(body);

const paths = ({ asked }: Origin): string => asked.join(' ');

test('an asset is fetched once, whoever asks and when', async (t) => {
  const body = bytes(200_000);
  const { find, origin, digests } = await setting(t, { '/a.ts': body });
  const { digest, size, leaves } = await nameOfBytes(body);
  const found = await Promise.all(Array.from({ length: 20 }, () => find('/a.ts')));
  for (const one of [...found, await find('/a.ts')])
    assert.deepEqual(one, { name: { digest, size }, until: START + MIN_FRESH_MS });
  assert.deepEqual(await digests.leaves(digest), leaves);
  assert.equal(paths(origin), '/a.ts');
  assert.deepEqual(digests.counters, { hashed: 1, revalidated: 0, refused: 0 });
});

test('a range is an asset of its own', async (t) => {
  const body = bytes(200_000);
  const { find, origin } = await setting(t, { '/all.ts': body });
  for (const range of [
    { start: 0, end: 100_000 },
    { start: 100_000, end: 200_000 },
  ]) {
    const { digest, size } = await nameOfBytes(body.slice(range.start, range.end));
    assert.deepEqual((await find('/all.ts', range)).name, { digest, size });
  }
  assert.deepEqual(
    origin.headers.map(({ range }) => range),
    ['bytes=0-99999', 'bytes=100000-199999'],
  );
});

test('a range that the origin does not give as asked has no digest', async (t) => {
  const { find } = await setting(t, {
    '/whole': headers({}, 200),
    '/other': headers({ 'content-range': 'bytes 1-5/10' }, 206),
    '/short': headers({ 'content-range': 'bytes 0-4/10' }, 206, 'hell'),
    '/long': headers({ 'content-range': 'bytes 0-4/10' }, 206, 'hello!'),
    '/none': headers({}, 206),
    '/encoded': headers({ 'content-range': 'bytes 0-4/10', 'content-encoding': 'gzip' }, 206, gzipSync('hello')),
  });
  for (const path of ['/whole', '/other', '/short', '/long', '/none', '/encoded'])
    assert.equal((await find(path, { start: 0, end: 5 })).name, null, path);
});

test('what may not be shared has no digest, and is not asked for again soon', async (t) => {
  const files: Record<string, Handler> = {
    '/private': headers({ 'cache-control': 'private' }),
    '/no-store': headers({ 'cache-control': 'max-age=5, No-Store' }),
    '/cookie': headers({ vary: 'Accept-Encoding, Cookie' }),
    '/authorization': headers({ vary: 'Authorization' }),
    '/anything': headers({ vary: '*' }),
    '/redirect': headers({ location: '/elsewhere' }, 302),
    '/partial': headers({ 'content-range': 'bytes 0-4/10' }, 206),
    '/created': headers({}, 201),
    '/empty': headers({}, 200, ''),
  };
  const { find, origin, clock, digests } = await setting(t, files);
  for (const path of Object.keys(files)) {
    assert.deepEqual(await find(path), { name: null, until: START + REFUSED_ASSET_MS }, path);
    await find(path);
  }
  assert.equal(paths(origin), Object.keys(files).join(' '));
  assert.equal(digests.counters.refused, 9);
  clock.at += REFUSED_ASSET_MS;
  await find('/private');
  assert.equal(origin.asked.length, 10);
});

test('what differs by CORS or encoding alone is the same for all', async (t) => {
  const { find } = await setting(t, {
    '/a': headers({ vary: 'Origin, Accept-Encoding', 'cache-control': 'no-cache' }),
  });
  const { digest, size } = await nameOfBytes(Uint8Array.from(Buffer.from('hello')));
  assert.deepEqual((await find('/a')).name, { digest, size });
});

test('the digest is of the decoded body, as a browser has it', async (t) => {
  const body = bytes(100_000);
  const { find } = await setting(t, { '/a': headers({ 'content-encoding': 'gzip' }, 200, gzipSync(body)) });
  const { digest, size } = await nameOfBytes(body);
  assert.deepEqual((await find('/a')).name, { digest, size });
});

test('what is too large has no digest: by its own word, by what comes, or once it is decoded', async (t) => {
  let sent = 0;
  const { find } = await setting(t, {
    '/said': (_, response) => {
      response.writeHead(200, { 'content-length': MAX_ASSET_BYTES + 1 }).write('x');
    },
    '/endless': (_, response) => {
      const chunk = Buffer.alloc(1024 * 1024);
      const more = (): void => {
        sent++;
        response.write(chunk, (error) => error ?? more());
      };
      more();
    },
    '/bomb': headers({ 'content-encoding': 'gzip' }, 200, gzipSync(Buffer.alloc(MAX_ASSET_BYTES + 1))),
  });
  assert.equal((await find('/said')).name, null);
  assert.equal((await find('/endless')).name, null);
  assert.ok(sent < 64 + 32, `${sent} MiB were sent`);
  assert.equal((await find('/bomb')).name, null);
});

test('an origin that fails is asked again after a while', async (t) => {
  const { find, origin, clock } = await setting(t, { '/a': headers({}, 503) });
  assert.deepEqual(await find('/a'), { name: null, until: START + FAILED_ASSET_MS });
  assert.deepEqual(await find('/missing'), { name: null, until: START + FAILED_ASSET_MS });
  origin.files.set('/a', 'hello').set('/missing', 'hello');
  await find('/a');
  assert.equal(origin.asked.length, 2);
  clock.at += FAILED_ASSET_MS;
  assert.equal((await find('/a')).name?.size, 5);
  assert.equal((await find('/missing')).name?.size, 5);
});

test('what is old is asked about by its validators, and fetched anew only if it changed', async (t) => {
  const { find, origin, clock, digests } = await setting(t, { '/a': 'hello' });
  const { name } = await find('/a');
  clock.at += MIN_FRESH_MS;
  assert.deepEqual(await find('/a'), { name, until: clock.at + MIN_FRESH_MS });
  assert.equal(origin.headers[1]?.['if-none-match'], '"5-68656c6c6f"');
  assert.deepEqual(digests.counters, { hashed: 1, revalidated: 1, refused: 0 });
  origin.files.set('/a', 'changed');
  clock.at += MIN_FRESH_MS;
  assert.equal((await find('/a')).name?.size, 7);
});

test('what was known stays while its origin is away, and goes when that takes it back', async (t) => {
  const { find, origin, clock } = await setting(t, { '/a': 'hello' });
  const { name } = await find('/a');
  origin.files.set('/a', headers({}, 502));
  clock.at += MIN_FRESH_MS;
  assert.deepEqual(await find('/a'), { name, until: clock.at + FAILED_ASSET_MS });
  origin.files.set('/a', headers({ 'cache-control': 'private' }));
  clock.at += FAILED_ASSET_MS;
  assert.equal((await find('/a')).name, null);
  origin.files.delete('/a');
  clock.at += REFUSED_ASSET_MS;
  assert.equal((await find('/a')).name, null);
});

test('a 304 that nobody asked for is no digest', async (t) => {
  const { find } = await setting(t, { '/a': headers({}, 304, '') });
  assert.equal((await find('/a')).name, null);
});

test('four are fetched at a time; what nobody wants any more when its turn comes is not', async (t) => {
  const held: (() => void)[] = [];
  const { find, origin } = await setting(t, {
    '/slow': (_request, response) => held.push(() => response.end('hello')),
  });
  const all = Array.from({ length: 6 }, (_, i) => find(`/slow?${i}`));
  let isWanted = true;
  const dropped = find('/slow?dropped', undefined, { wants: () => isWanted });
  const saved = find('/slow?saved', undefined, { wants: () => isWanted });
  const saving = find('/slow?saved');
  await until('four requests', () => held.length === 4);
  assert.equal(origin.asked.length, 4);
  isWanted = false;
  await until('the rest', () => {
    for (const end of held.splice(0)) end();
    return origin.asked.length === 7;
  });
  await until('the answers', () => {
    for (const end of held.splice(0)) end();
    return Promise.race([
      Promise.all([...all, saved, saving]).then(() => true),
      new Promise<false>((no) => setTimeout(no, 20, false)),
    ]);
  });
  assert.equal((await dropped).name, null);
  assert.equal((await saved).name?.size, 5);
  assert.ok(!paths(origin).includes('dropped'));
});

test('an answer is believed as long as it says, within bounds', () => {
  for (const [value, milliseconds] of [
    ['', MIN_FRESH_MS],
    ['no-cache', MIN_FRESH_MS],
    ['max-age=1', MIN_FRESH_MS],
    ['public, max-age=3600', 3_600_000],
    ['public,max-age="3600"', 3_600_000],
    ['max-age=99999999999999', MAX_FRESH_MS],
    ['max-age=31536000', MAX_FRESH_MS],
    ['immutable', MAX_FRESH_MS],
    ['x-max-age=3600', MIN_FRESH_MS],
  ] as const)
    assert.equal(freshMs(value), milliseconds, value);
});
