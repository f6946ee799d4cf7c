/** Two viewers of a live stream: issue A, D8; issue B, D7. */
import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { until } from '../harness/until.ts';
import { person } from './support/person.ts';
import { KIT, stage, type Stage } from './support/stage.ts';
import { stallsOf, watchStalls } from './support/stalls.ts';
import { meshStats } from './support/viewer.ts';

/** How long both watch, seconds of film. */
const WATCHED = 30;

/** A playhead that stands still for so long is a stall, ms. */
const STALL_MS = 300;

/** What the server may give of each segment, in copies, on the average. */
const MOST_COPIES = 1.3;

test('two viewers play the live stream for 30 s with no stall, and take hardly more than one copy of it from the server', async (t) => {
  const [scene, ...viewers] = await Promise.all([stage(t), person(t), person(t)]);
  const url = await scene.page('live', `${KIT}<p2p-video src="/live/index.m3u8" muted autoplay></p2p-video>`);
  for (const viewer of viewers) {
    await watchStalls(viewer.chromium.context);
    await viewer.goto(url);
  }
  let shared = 0;
  for (const [index, { page }] of viewers.entries()) {
    const stalls = await until(
      `${WATCHED} s of film`,
      async () => {
        const seen = await stallsOf(page);
        return seen.started && seen.to - seen.from >= WATCHED && seen;
      },
      { timeout: 2000 * WATCHED, interval: 200 },
    );
    const { bytes } = await meshStats(page);
    shared += bytes.peers;
    t.diagnostic(
      `${'AB'[index]}: longest stall ${stalls.longest.toFixed(0)} ms at ${stalls.at.toFixed(1)} s; ` +
        `${bytes.peers} bytes from the neighbour, ${bytes.origin} from the server`,
    );
    assert.ok(
      stalls.longest < STALL_MS,
      `stood still for ${stalls.longest.toFixed(0)} ms at ${stalls.at.toFixed(1)} s`,
    );
  }
  assert.ok(shared > 0, 'nothing was shared');
  const { copies, segments } = await copiesOf(scene);
  t.diagnostic(`${copies.toFixed(2)} copies of ${segments} segments from the server`);
  assert.ok(copies <= MOST_COPIES, `${copies.toFixed(2)} copies of each segment came from the server`);
});

/** How often the server gave a segment, by bytes. The stream is a loop, but neither viewer needs a segment again that it has. */
async function copiesOf({ proxy, media }: Stage): Promise<{ copies: number; segments: number }> {
  const asked = new Set(proxy.matching(/\.ts$/).map(({ url }) => url));
  const sizes = await Promise.all([...asked].map(async (url) => (await stat(join(media, url.slice(7)))).size));
  const size = sizes.reduce((sum, one) => sum + one, 0);
  return { copies: proxy.bytes(/\.ts$/) / size, segments: asked.size };
}
