/** Every kind of stream plays and is shared, several on one page; keys are not: issue B, D7. */
import assert from 'node:assert/strict';
import { cp, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { nameOf } from '../../protocol/digest.ts';
import { sha256 } from '../../server/sha256.ts';
import { ROOT } from '../harness/serve.ts';
import { until } from '../harness/until.ts';
import { person, type Person } from './support/person.ts';
import { KIT, stage, type Stage } from './support/stage.ts';
import type { P2PVideo } from '../../index.ts';

/** Folders of the media folder, with the files whose bytes peers share. */
const STREAMS = {
  'formats/encrypted': ['segment-00.ts', 'segment-01.ts', 'segment-02.ts', 'segment-03.ts'],
  'formats/ranges': ['all.ts'],
  'formats/fragmented': ['all.mp4'],
  'formats/languages': [
    ...['video', 'en'].flatMap((track) => [0, 1, 2, 3].map((number) => `${track}/segment-0${number}.m4s`)),
    ...['video/init.mp4', 'en/init.mp4', 'en/segment-04.m4s', 'subtitles/segment-00.vtt', 'subtitles/segment-01.vtt'],
  ],
  broken: ['../lesson/v1/segment-00.ts', '../lesson/v1/segment-07.ts', '../lesson/v1/segment-03.ts'],
} as const;

/** What the server may give of the second viewer's segments. */
const MOST_FROM_SERVER = 0.05;

/** Faster than life once all is loaded. */
const RATE = 4;

const PAGE = `${KIT}
<style>p2p-video { width: 20% }</style>
${Object.keys(STREAMS)
  .map((folder) => `<p2p-video id="${folder}" swarm="${folder}" muted autoplay></p2p-video>`)
  .join('\n')}`;

/** Segments of three places one behind the other: clocks and counters jump. */
const BROKEN = ['#EXTM3U', '#EXT-X-VERSION:6', '#EXT-X-TARGETDURATION:2', '#EXT-X-PLAYLIST-TYPE:VOD']
  .concat(STREAMS.broken.flatMap((uri) => ['#EXT-X-DISCONTINUITY', '#EXTINF:2,', uri]))
  .concat('#EXT-X-ENDLIST', '')
  .join('\n');

test('AES-128, byte ranges, MP4 in one file, sound and subtitles apart, discontinuities: the second viewer has all from the first, but no key', async (t) => {
  const [scene, a, b] = await Promise.all([stage(t), person(t), person(t)]);
  await cp(`${ROOT}test/fixtures/formats`, join(scene.media, 'formats'), { recursive: true });
  await scene.write('broken/index.m3u8', BROKEN);
  const url = await scene.page('formats', PAGE);
  await record(b);
  await watch(t, 'A', a, url);
  await until('an idle viewer', () =>
    scene.proxy.requests.every(({ state, status }) => state !== 'open' || status === 101),
  );
  scene.proxy.reset();
  await watch(t, 'B', b, url, 1);

  for (const [folder, files] of Object.entries(STREAMS))
    await t.test(`${folder} is shared`, async () => {
      const paths = files.map((file) => new URL(file, `http://h/media/${folder}/`).pathname);
      const sizes = await Promise.all(paths.map(async (path) => (await stat(join(scene.media, path.slice(7)))).size));
      const total = sizes.reduce((sum, size) => sum + size, 0);
      const asked = scene.proxy.requests.filter(({ url }) => paths.includes(url));
      const fromServer = asked.reduce((sum, { bytes }) => sum + bytes, 0);
      t.diagnostic(`${folder}: ${fromServer} of ${total} bytes from the server`);
      assert.ok(fromServer <= MOST_FROM_SERVER * total, `${fromServer} of ${total} segment bytes came from the server`);
    });

  await t.test('subtitles are there', async () => {
    const cues = await b.page.evaluate(
      () => document.querySelector<P2PVideo>('[id="formats/languages"]')!.textTracks[0]?.cues?.length,
    );
    assert.equal(cues, 2);
  });

  await t.test('the key came from the server, and nothing of it over a channel', () => assertKeyIsSafe(scene, b));
});

/** Opens the page; all of its videos play to their end. They begin with so many neighbours: how long a start waits for a channel is not the matter here. */
async function watch(t: TestContext, who: string, viewer: Person, url: string, neighbours = 0): Promise<void> {
  const start = performance.now();
  await viewer.goto(url);
  await viewer.page.evaluate(() => {
    for (const video of document.querySelectorAll<P2PVideo>('p2p-video')) video.mesh.join(video.id);
  });
  await viewer.connected(neighbours);
  await viewer.page.evaluate(() => {
    for (const video of document.querySelectorAll<P2PVideo>('p2p-video')) video.src = `/media/${video.id}/index.m3u8`;
  });
  const all = (what: 'loaded' | 'ended'): Promise<boolean> =>
    viewer.page.evaluate((what) => {
      const videos = [...document.querySelectorAll<P2PVideo>('p2p-video')];
      return videos.every(({ error, ended, buffered, duration }) => {
        if (error) throw new Error(error.message);
        return what === 'ended' ? ended : buffered.length > 0 && buffered.end(buffered.length - 1) > duration - 0.5;
      });
    }, what);
  await until('all videos in the buffer', () => all('loaded'), { timeout: 40_000 });
  await viewer.page.evaluate((rate) => {
    for (const video of document.querySelectorAll<P2PVideo>('p2p-video')) video.playbackRate = rate;
  }, RATE);
  await until('the end of all videos', () => all('ended'), { timeout: 40_000 });
  t.diagnostic(`${who}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
}

/** The engine then runs on the main thread, and all that comes over a data channel is noted. */
const record = ({ chromium }: Person): Promise<unknown> =>
  chromium.context.addInitScript({
    content: `
      delete window.Worker;
      window.received = [];
      const note = (channel) => channel.addEventListener('message', ({ data }) => received.push(data.slice(0)));
      window.RTCPeerConnection = class extends RTCPeerConnection {
        constructor(...options) {
          super(...options);
          this.addEventListener('datachannel', ({ channel }) => note(channel));
        }
        createDataChannel(...options) {
          const channel = super.createDataChannel(...options);
          note(channel);
          return channel;
        }
      };`,
  });

async function assertKeyIsSafe(scene: Stage, viewer: Person): Promise<void> {
  const key = await readFile(join(scene.media, 'formats/encrypted/key.bin'));
  const { digest } = await nameOf(new Uint8Array(key), sha256);
  assert.equal(scene.proxy.matching(/key\.bin/).length, 1);
  const secrets = [[...key], [...Buffer.from(digest, 'hex')]];
  const seen = await viewer.page.evaluate((secrets) => {
    const { received } = window as unknown as { received: ArrayBuffer[] };
    const messages = received.map((data) => new Uint8Array(data));
    return {
      bytes: messages.reduce((sum, { length }) => sum + length, 0),
      secrets: secrets.filter((secret) =>
        messages.some((message) =>
          message.some((byte, at) => byte === secret[0] && secret.every((wanted, i) => message[at + i] === wanted)),
        ),
      ),
    };
  }, secrets);
  assert.ok(seen.bytes > 1_000_000, `${seen.bytes} bytes were noted`);
  assert.deepEqual(seen.secrets, []);
}
