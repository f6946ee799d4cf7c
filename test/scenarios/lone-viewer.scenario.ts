import assert from 'node:assert/strict';
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import type { CountedRequest } from '../harness/counting-server.ts';
import { ROOT } from '../harness/serve.ts';
import { until } from '../harness/until.ts';
import { person } from './support/person.ts';
import { KIT, SEGMENTS, stage, type Stage } from './support/stage.ts';

const IS_SEGMENT = /\.ts$/;

for (const [name, playlist] of [
  ['whole files', 'pinned.m3u8'],
  ['ranges of one file', 'ranges.m3u8'],
] as const) {
  test(`a lone viewer asks for the same segments in the same order as plain hls.js: ${name}`, async (t) => {
    const scene = await stage(t);
    await writeRanges(scene);
    const plain = await segmentRequests(t, scene, await plainPage(scene, playlist));
    const ours = await segmentRequests(t, scene, await ourPage(scene, playlist));
    assert.equal(plain.length, SEGMENTS.length);
    assert.deepEqual(ours.map(identity), plain.map(identity));
  });
}

test('besides segments a lone viewer asks for page, kit, manifest and playlists, each once, and for no leaves', async (t) => {
  const scene = await stage(t);
  const viewer = await person(t);
  await viewer.goto(await ourPage(scene, 'lesson/index.m3u8'));
  await viewer.videoBuffered();
  await viewer.statsUntil('the mesh', ({ signaling }) => signaling === 'joined');
  const isUnchanged = ({ status }: CountedRequest): boolean => status === 304;
  await until('the service worker has asked whether the page that it did not see come is still that', () =>
    scene.proxy.requests.some(isUnchanged),
  );
  assert.deepEqual(
    scene.proxy.requests.filter(isUnchanged).map(({ url }) => url),
    ['/media/own/ours.html'],
  );
  const paths = scene.proxy.requests
    .filter((request) => !isUnchanged(request))
    .map(({ url }) => url.split('?')[0] ?? '')
    .filter((path) => !IS_SEGMENT.test(path) && path !== '/favicon.ico');
  assert.deepEqual(paths, [...new Set(paths)], 'nothing is asked for twice');
  const isKit = (path: string): boolean => /^\/(p2p-elements\/.*\.js|p2p-sw\.js|p2p\/signal\/)$/.test(path);
  assert.deepEqual(paths.filter((path) => !isKit(path)).sort(), [
    '/media/lesson/index.m3u8',
    ...[0, 1, 2].map((rendition) => `/media/lesson/v${rendition}/index.m3u8`),
    '/media/own/ours.html',
    '/p2p-manifest.json',
  ]);
});

const identity = ({ method, url, range }: CountedRequest): string => `${method} ${url} ${range ?? ''}`;

/** Opens the page in a fresh browser and lets it load the whole video. */
async function segmentRequests(t: TestContext, scene: Stage, url: string): Promise<CountedRequest[]> {
  const viewer = await person(t);
  scene.proxy.reset();
  await viewer.goto(url);
  await viewer.videoBuffered('body > :is(video, p2p-video)');
  await viewer.chromium.close();
  return scene.proxy.matching(IS_SEGMENT);
}

const ourPage = (scene: Stage, playlist: string): Promise<string> =>
  scene.page('ours', `${KIT}\n<p2p-video src="/media/${playlist}" muted></p2p-video>`);

async function plainPage(scene: Stage, playlist: string): Promise<string> {
  await copyFile(`${ROOT}node_modules/hls.js/dist/hls.light.min.js`, join(scene.media, 'hls.js'));
  return scene.page(
    'plain',
    `<script src="/media/hls.js"></script>
<video muted></video>
<script>
  const hls = new Hls();
  hls.loadSource('/media/${playlist}');
  hls.attachMedia(document.querySelector('video'));
</script>`,
  );
}

/** The segments of one rendition as one file, and a playlist of byte ranges (RFC 8216, 4.3.2.2). */
async function writeRanges(scene: Stage): Promise<void> {
  const bodies = await Promise.all(SEGMENTS.map((name) => readFile(join(scene.media, 'lesson/v1', name))));
  let offset = 0;
  const lines = bodies.flatMap(({ length }) => {
    const range = `#EXT-X-BYTERANGE:${length}@${offset}`;
    offset += length;
    return ['#EXTINF:2,', range, 'all.ts'];
  });
  const head = ['#EXTM3U', '#EXT-X-VERSION:4', '#EXT-X-TARGETDURATION:2', '#EXT-X-PLAYLIST-TYPE:VOD'];
  await scene.write('all.ts', Buffer.concat(bodies));
  await scene.write('ranges.m3u8', [...head, ...lines, '#EXT-X-ENDLIST', ''].join('\n'));
}
