import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { liveFolder, vodFolder } from '../../../bench/classroom/media-folder.ts';
import { byteRate, renditionsOf, RENDITIONS } from '../../../bench/classroom/media.ts';

/** Media as if generated, each segment of its rendition's number of bytes. */
async function cacheFolder(t: TestContext) {
  const parent = await mkdtemp(join(tmpdir(), 'p2p-classroom-test-'));
  t.after(() => rm(parent, { recursive: true, force: true }));
  const cache = join(parent, 'cache');
  for (const { name, height } of RENDITIONS) {
    await mkdir(join(cache, name), { recursive: true });
    for (let number = 0; number < 60; number++)
      await writeFile(join(cache, name, `seg${number}.ts`), 'x'.repeat(height));
  }
  return { cache, path: join(parent, 'media') };
}

const text = (...parts: string[]) => readFile(join(...parts), 'utf8');

test('vod: a playlist of as many segments as were asked for, with their sizes', async (t) => {
  const places = await cacheFolder(t);
  const media = vodFolder({ ...places, renditions: renditionsOf(1) }, 8);
  assert.deepEqual((await readdir(media.path)).sort(), ['index.m3u8', 'seg0.ts', 'seg1.ts']);
  const playlist = await text(media.path, media.playlist);
  assert.match(playlist, /^#EXTM3U\n[^]*#EXTINF:4,\nseg0\.ts\n#EXTINF:4,\nseg1\.ts\n#EXT-X-ENDLIST\n$/);
  assert.deepEqual(
    [...media.sizes],
    [
      ['seg0.ts', 144],
      ['seg1.ts', 144],
    ],
  );
  assert.equal((await text(media.path, 'seg1.ts')).length, 144);
});

test('three renditions: a multivariant playlist over one folder each', async (t) => {
  const places = await cacheFolder(t);
  const media = vodFolder({ ...places, renditions: renditionsOf(3) }, 4);
  const playlist = await text(media.path, media.playlist);
  assert.deepEqual(playlist.match(/^\w+\/index\.m3u8$/gm), ['low/index.m3u8', 'middle/index.m3u8', 'high/index.m3u8']);
  assert.deepEqual(playlist.match(/BANDWIDTH=\d+/g), ['BANDWIDTH=1000000', 'BANDWIDTH=2000000', 'BANDWIDTH=4000000']);
  assert.deepEqual([...media.sizes.values()], [108, 144, 180]);
  assert.match(await text(media.path, 'high', 'index.m3u8'), /\nseg0\.ts\n/);
});

test('live: a window that moves on segment by segment, loops with a discontinuity, and is quiet once closed', async (t) => {
  const places = await cacheFolder(t);
  t.mock.timers.enable({ apis: ['setInterval'] });
  const media = liveFolder({ ...places, renditions: renditionsOf(1) }, 3);
  const playlist = () => text(media.path, media.playlist);
  assert.deepEqual((await playlist()).match(/^live\d+\.ts$/gm), ['live0.ts', 'live1.ts', 'live2.ts']);
  t.mock.timers.tick(4000);
  assert.match(await playlist(), /MEDIA-SEQUENCE:1\n/);
  assert.deepEqual((await playlist()).match(/^live\d+\.ts$/gm), ['live1.ts', 'live2.ts', 'live3.ts']);
  assert.ok(!(await playlist()).includes('#EXT-X-DISCONTINUITY\n'));
  for (let segment = 0; segment < 58; segment++) t.mock.timers.tick(4000);
  assert.match(await playlist(), /live59\.ts\n#EXT-X-DISCONTINUITY\n[^]*live60\.ts/);
  for (let segment = 0; segment < 3; segment++) t.mock.timers.tick(4000);
  assert.match(await playlist(), /DISCONTINUITY-SEQUENCE:1\n/);
  const names = await readdir(media.path);
  assert.ok(names.length <= 10, `old segments go: ${names.join(' ')}`);
  assert.equal(media.sizes.get('live0.ts'), 144);
  const last = await playlist();
  media.close();
  t.mock.timers.tick(8000);
  assert.equal(await playlist(), last);
});

test('the rate of a rendition is its bytes by its seconds', async (t) => {
  const { cache } = await cacheFolder(t);
  const [low] = RENDITIONS;
  assert.ok(low);
  assert.equal(byteRate(cache, low), 27);
  assert.equal(byteRate(cache, low, 8), 27);
});
