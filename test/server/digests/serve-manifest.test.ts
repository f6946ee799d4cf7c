import assert from 'node:assert/strict';
import { appendFileSync, statSync } from 'node:fs';
import { rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { MAX_PART_BYTES } from '../../../protocol/limits.ts';
import { parseManifest } from '../../../protocol/manifest.ts';
import { Digests } from '../../../server/digests/digests.ts';
import { serveManifest } from '../../../server/digests/serve-manifest.ts';
import { warmDigests } from '../../../server/digests/warm-digests.ts';
import { bytes, folderOf, nameOfText, put, silent, vod } from '../support.ts';

function make(t: TestContext): Digests {
  const digests = new Digests(() => Date.now() + 60_000);
  t.after(() => digests.close());
  return digests;
}

test('the manifest lists files by their absolute URL path, in order', async (t) => {
  const folder = await folderOf(t, { 'b.png': 'b', 'a b/c.png': 'c' });
  const manifest = await serveManifest(folder, make(t));
  assert.deepEqual(Object.keys(manifest.assets), ['/media/a%20b/c.png', '/media/b.png']);
  assert.equal(manifest.leaves, '/p2p/leaves/');
  const { digest } = await nameOfText('b');
  assert.deepEqual(manifest.assets['/media/b.png'], { digest, size: 1, type: 'image/png' });
  assert.doesNotThrow(() => parseManifest(JSON.parse(JSON.stringify(manifest))));
});

test('a changed file has its new digest in the next manifest, a new one is added, one that is gone is not', async (t) => {
  const folder = await folderOf(t, { 'a.png': 'a', 'b.png': 'b' });
  const digests = make(t);
  await serveManifest(folder, digests);
  await put(folder, { 'a.png': 'A', 'c.png': 'c' });
  await rm(join(folder, 'b.png'));
  const { assets } = await serveManifest(folder, digests);
  assert.deepEqual(Object.keys(assets), ['/media/a.png', '/media/c.png']);
  assert.deepEqual(assets['/media/a.png'], { digest: (await nameOfText('A')).digest, size: 1, type: 'image/png' });
});

test('a file above 16 MiB is listed as parts', async (t) => {
  const folder = await folderOf(t);
  await writeFile(join(folder, 'film.mp4'), 'x');
  await truncate(join(folder, 'film.mp4'), 2 * MAX_PART_BYTES + 1);
  const entry = (await serveManifest(folder, make(t))).assets['/media/film.mp4'];
  assert.ok(entry && 'parts' in entry);
  assert.equal(entry.parts.length, 3);
});

test('what is not hashed in time is in a later manifest', async (t) => {
  const folder = await folderOf(t, { 'film.mp4': bytes(12 * 1024 * 1024) });
  const digests = make(t);
  assert.deepEqual(Object.keys((await serveManifest(folder, digests, { waitMs: 0 })).assets), []);
  assert.deepEqual(Object.keys((await serveManifest(folder, digests)).assets), ['/media/film.mp4']);
  assert.equal(digests.hashed, 1);
});

test('no digest of a file that is being written is ever given out', async (t) => {
  const folder = await folderOf(t, { 'growing.mp4': 'x' });
  const path = join(folder, 'growing.mp4');
  let isWritten = true;
  const digests = new Digests(() => {
    const { ctimeMs } = statSync(path);
    if (isWritten) appendFileSync(path, bytes(1000)); // after the server saw how old it is
    return ctimeMs;
  });
  t.after(() => digests.close());
  for (let i = 0; i < 5; i++) assert.deepEqual(Object.keys((await serveManifest(folder, digests)).assets), []);
  isWritten = false;
  assert.deepEqual(Object.keys((await serveManifest(folder, digests)).assets), ['/media/growing.mp4']);
});

test('after warming, a manifest needs no hashing', async (t) => {
  const folder = await folderOf(t, { 'a.png': 'a', 'v/i.m3u8': vod(2), 'v/s0.ts': '0', 'v/s1.ts': '1' });
  const digests = make(t);
  await warmDigests(folder, digests, silent);
  const { hashed } = digests;
  assert.equal(hashed, 4);
  assert.deepEqual(Object.keys((await serveManifest(folder, digests)).assets), ['/media/a.png', '/media/v/i.m3u8']);
  assert.equal(digests.hashed, hashed);
});

test('after warming, a playlist of byte ranges needs no hashing', async (t) => {
  const ranges = '#EXTM3U\n#EXTINF:4,\n#EXT-X-BYTERANGE:2@0\nall.ts\n#EXTINF:4,\n#EXT-X-BYTERANGE:1\nall.ts\n';
  const folder = await folderOf(t, { 'i.m3u8': `${ranges}#EXT-X-ENDLIST\n`, 'all.ts': 'all' });
  const digests = make(t);
  await warmDigests(folder, digests, silent);
  assert.equal(digests.hashed, 4);
  await serveManifest(folder, digests);
  assert.equal(digests.hashed, 4);
});

test('warming a folder that vanishes, or a server that closes, is no error', async (t) => {
  const folder = await folderOf(t, { a: bytes(4_000_000), b: 'b' });
  const digests = make(t);
  const warming = warmDigests(folder, digests, silent);
  digests.close();
  await warming;
  await warmDigests(join(folder, 'missing'), make(t), silent);
});

test('the kit and the demo are listed where they are served, without what no page asks for', async (t) => {
  const folder = await folderOf(t, { 'a.png': 'a' });
  const kit = await folderOf(t, {
    'p2p-img.js': 'i',
    'p2p-img.js.map': 'm',
    'p2p-img.js.br': 'b',
    'p2p-sw.js': 's',
    'chunks/shared-1.js': 'c',
    'LICENSES.txt': 'l',
  });
  const demo = await folderOf(t, { 'index.html': 'h', 'demo.css': 'd', 'media/film.mp4': 'f' });
  const { assets } = await serveManifest(folder, make(t), { shell: { kit, demo } });
  assert.deepEqual(Object.keys(assets), [
    '/',
    '/demo.css',
    '/index.html',
    '/media/a.png',
    '/p2p-elements/chunks/shared-1.js',
    '/p2p-elements/p2p-img.js',
  ]);
  assert.equal(assets['/']?.type, 'text/html; charset=utf-8');
});
