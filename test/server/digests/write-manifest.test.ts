import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { leavesMatch } from '../../../protocol/digest.ts';
import { isWholeAsset, parseManifest } from '../../../protocol/manifest.ts';
import { MAX_PART_BYTES } from '../../../protocol/limits.ts';
import { writeManifest } from '../../../server/digests/write-manifest.ts';
import { sha256 } from '../../../server/sha256.ts';
import { bytes, folderOf, nameOfText, vod } from '../support.ts';

const readManifest = async (folder: string) =>
  parseManifest(JSON.parse(await readFile(join(folder, 'p2p-manifest.json'), 'utf8')));

/** All that was written, as text. */
async function written(folder: string): Promise<string[]> {
  const leaves = (await readdir(join(folder, 'p2p/leaves'))).sort();
  const files = ['p2p-manifest.json', ...leaves.map((name) => `p2p/leaves/${name}`)];
  return Promise.all(files.map(async (file) => `${file} ${(await readFile(join(folder, file))).toString('hex')}`));
}

test('manifest and leaves are what the kit reads, with paths relative to the folder', async (t) => {
  const folder = await folderOf(t, { 'a b.png': bytes(200_000), 'v/i.m3u8': vod(1), 'v/s0.ts': 'segment' });
  const done = await writeManifest(folder);
  assert.deepEqual(done, { files: 2, playlists: 1, tagged: 0, leaves: 3, removed: 0, leftOut: [] });
  const manifest = await readManifest(folder);
  assert.deepEqual(Object.keys(manifest.assets), ['a%20b.png', 'v/i.m3u8', 'v/s0.ts']);
  assert.equal(manifest.leaves, 'p2p/leaves/');
  for (const entry of Object.values(manifest.assets)) {
    assert.ok(isWholeAsset(entry));
    const leaves = await readFile(join(folder, manifest.leaves, entry.digest));
    assert.ok(await leavesMatch(entry, leaves, sha256));
  }
});

test('a playlist is listed as it stands on the disk', async (t) => {
  const folder = await folderOf(t, { 'i.m3u8': vod(1), 's0.ts': 'x' });
  await writeManifest(folder);
  const { digest, size } = await nameOfText(vod(1));
  assert.deepEqual(
    { ...(await readManifest(folder)).assets['i.m3u8'] },
    { digest, size, type: 'application/vnd.apple.mpegurl' },
  );
});

test('running again writes the same bytes, and does not list what it wrote', async (t) => {
  const folder = await folderOf(t, { 'a.png': 'a', 'b/c.png': 'c' });
  await writeManifest(folder);
  const first = await written(folder);
  await writeManifest(folder);
  assert.deepEqual(await written(folder), first);
  assert.deepEqual(Object.keys((await readManifest(folder)).assets), ['a.png', 'b/c.png']);
});

test('leaves that no asset has any more are removed', async (t) => {
  const folder = await folderOf(t, { 'a.png': 'a', 'b.png': 'b' });
  await writeManifest(folder);
  await rm(join(folder, 'b.png'));
  assert.equal((await writeManifest(folder)).removed, 1);
  assert.deepEqual(await readdir(join(folder, 'p2p/leaves')), [(await nameOfText('a')).digest]);
});

test('a file above 16 MiB is listed as parts, each with its leaves', async (t) => {
  const folder = await folderOf(t, { 'film.mp4': bytes(MAX_PART_BYTES + 1) });
  await writeManifest(folder);
  const entry = (await readManifest(folder)).assets['film.mp4'];
  assert.ok(entry && 'parts' in entry);
  assert.deepEqual((await readdir(join(folder, 'p2p/leaves'))).sort(), [...entry.parts].sort());
});

test('an empty file is left out and named', async (t) => {
  const folder = await folderOf(t, { 'a.png': 'a', 'empty.png': '' });
  assert.deepEqual((await writeManifest(folder)).leftOut, ['empty.png']);
});

test('VOD playlists are tagged in place, their segments have leaves and no place in the manifest', async (t) => {
  const live = vod(1).replace('#EXT-X-ENDLIST\n', '');
  const multivariant = '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv/i.m3u8\n';
  const folder = await folderOf(t, {
    'm.m3u8': multivariant,
    'v/i.m3u8': vod(2),
    'v/s0.ts': 'zero',
    'v/s1.ts': 'one',
    'live/i.m3u8': live,
    'live/s0.ts': 'live',
  });
  const tags = await Promise.all(
    ['zero', 'one'].map(async (content) => {
      const { digest, size } = await nameOfText(content);
      return { digest, line: `#EXT-X-P2P-DIGEST:${digest},${size}\n` };
    }),
  );
  const done = await writeManifest(folder, { tagsPlaylists: true });
  assert.deepEqual([done.tagged, done.playlists, done.files], [1, 2, 0]);
  const text = (path: string): Promise<string> => readFile(join(folder, path), 'utf8');
  assert.equal(
    await text('v/i.m3u8'),
    vod(2, (index) => tags[index]!.line),
  );
  assert.equal(await text('live/i.m3u8'), live);
  assert.equal(await text('m.m3u8'), multivariant);
  const { assets } = await readManifest(folder);
  assert.deepEqual(Object.keys(assets), ['m.m3u8', 'v/i.m3u8']);
  const listed = assets['v/i.m3u8']!;
  assert.ok(isWholeAsset(listed));
  assert.equal(listed.digest, (await nameOfText(await text('v/i.m3u8'))).digest);
  const leaves = await readdir(join(folder, 'p2p/leaves'));
  for (const { digest } of tags) assert.ok(leaves.includes(digest));
  const first = await written(folder);
  assert.equal((await writeManifest(folder, { tagsPlaylists: true })).tagged, 0);
  assert.deepEqual(await written(folder), first);
});

test('tags of segments that have changed are written anew', async (t) => {
  const folder = await folderOf(t, { 'i.m3u8': vod(1), 's0.ts': 'before' });
  await writeManifest(folder, { tagsPlaylists: true });
  await writeFile(join(folder, 's0.ts'), 'after');
  assert.equal((await writeManifest(folder, { tagsPlaylists: true })).tagged, 1);
  const { digest } = await nameOfText('after');
  const tags = (await readFile(join(folder, 'i.m3u8'), 'utf8')).match(/#EXT-X-P2P-DIGEST:.*/g);
  assert.deepEqual(tags, [`#EXT-X-P2P-DIGEST:${digest},5`]);
});

test('without the flag tags stay as they are, and so do the block hashes of what they name', async (t) => {
  const folder = await folderOf(t, { 'i.m3u8': vod(1), 's0.ts': 'zero' });
  await writeManifest(folder, { tagsPlaylists: true });
  const before = [await written(folder), await readFile(join(folder, 'i.m3u8'), 'utf8')];
  const done = await writeManifest(folder);
  assert.deepEqual([done.tagged, done.removed], [0, 0]);
  assert.deepEqual([await written(folder), await readFile(join(folder, 'i.m3u8'), 'utf8')], before);
});
