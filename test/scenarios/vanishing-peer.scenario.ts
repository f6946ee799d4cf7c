/** A neighbour that vanishes in the middle of a segment costs nothing but a Range request: issue A, D5. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { P2PVideo } from '../../index.ts';
import { until } from '../harness/until.ts';
import { person } from './support/person.ts';
import { KIT, stage } from './support/stage.ts';
import { stallsOf, watchStalls } from './support/stalls.ts';
import { inPage, meshStats, playedToEnd } from './support/viewer.ts';

const BLOCK_BYTES = 64 * 1024;

/** A block of 64 KiB then takes 1.3 s, a segment of 2 s almost 3 s. */
const MAX_UPLOAD = '400kbps';

/** A playhead that stands still for so long is a stall, ms. */
const STALL_MS = 300;

/** How soon a peer that is gone must have left `mesh.stats`, ms. */
const GONE_MS = 5000;

/** What B plays. */
const SEGMENTS = [2, 3, 4];

/** In each of the five runs A holds just one segment: the one that B begins with, or the one that is asked for while B plays. */
const RUNS = [2, 4, 2, 4, 4];

test(
  'a neighbour is killed in the middle of a segment: no stall, and the blocks that came are kept',
  { concurrency: 2 },
  async (t) => {
    await Promise.all(
      RUNS.map((segment, run) => t.test(`run ${run + 1}: segment ${segment}`, (t) => vanish(t, segment))),
    );
  },
);

async function vanish(t: TestContext, segment: number): Promise<void> {
  const [scene, a, b] = await Promise.all([stage(t), person(t), person(t)]);
  await scene.write('a.m3u8', playlist([segment]));
  await scene.write('b.m3u8', playlist(SEGMENTS));
  const mesh = `<p2p-mesh max-upload="${MAX_UPLOAD}"></p2p-mesh>`;
  await a.goto(await scene.page('a', `${KIT}${mesh}<p2p-video swarm="lesson" src="/media/a.m3u8" muted></p2p-video>`));
  await until('the segment at A', () =>
    inPage(a.page, () => document.querySelector<P2PVideo>('p2p-video')!.readyState >= 2),
  );

  await watchStalls(b.chromium.context);
  const video = '<p2p-video swarm="lesson" muted autoplay></p2p-video>';
  scene.proxy.reset();
  await b.goto(await scene.page('b', `${KIT}${video}`));
  // How long a start waits for a channel is not the matter here, and on a busy machine that may be too short.
  await inPage(b.page, () => document.querySelector<P2PVideo>('p2p-video')!.mesh.join('lesson'));
  await b.connected();
  await inPage(b.page, () => {
    document.querySelector<P2PVideo>('p2p-video')!.src = '/media/b.m3u8';
  });
  const before = await until(
    'the first checked block',
    async () => {
      const stats = await meshStats(b.page);
      return stats.bytes.peers > 0 && stats;
    },
    { interval: 10, timeout: 20_000 },
  );
  const killedAt = performance.now();
  await a.chromium.kill();
  await until('the end of A in mesh.stats', async () => (await meshStats(b.page)).peers === 0);
  const goneAfter = performance.now() - killedAt;
  await playedToEnd(b.page);

  const [rest, ...more] = scene.proxy.matching(new RegExp(`${segment}\\.ts$`));
  const stalls = await stallsOf(b.page);
  t.diagnostic(
    `A gone after ${(goneAfter / 1000).toFixed(1)} s; ${rest?.range ?? 'no range'}; ` +
      `longest stall ${stalls.longest.toFixed(0)} ms at ${stalls.at.toFixed(1)} s`,
  );
  assert.ok(goneAfter < GONE_MS, `A was gone after ${goneAfter.toFixed(0)} ms`);
  assert.deepEqual(more, [], 'one request for what is missing');
  const start = Number(/^bytes=(\d+)-/.exec(rest?.range ?? '')?.[1]);
  assert.ok(start > 0 && start % BLOCK_BYTES === 0, `the rest is asked for from byte ${start} on`);
  assert.ok(start >= before.bytes.peers, 'blocks that came are kept');
  assert.ok(stalls.started && stalls.to - stalls.from > 2 * SEGMENTS.length - 1);
  assert.ok(
    stalls.longest < STALL_MS,
    `B stood still for ${stalls.longest.toFixed(0)} ms at ${stalls.at.toFixed(1)} s`,
  );
}

/** A playlist of some of the best rendition's segments. */
const playlist = (segments: readonly number[]): string =>
  [
    '#EXTM3U',
    '#EXT-X-VERSION:6',
    '#EXT-X-TARGETDURATION:2',
    '#EXT-X-PLAYLIST-TYPE:VOD',
    ...segments.flatMap((index) => ['#EXTINF:2.0,', `lesson/v2/segment-${String(index).padStart(2, '0')}.ts`]),
    '#EXT-X-ENDLIST\n',
  ].join('\n');
