/** Two viewers of a live stream: issue A, D8. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from '../harness/until.ts';
import { person } from './support/person.ts';
import { KIT, stage } from './support/stage.ts';
import { stallsOf, watchStalls } from './support/stalls.ts';
import { meshStats } from './support/viewer.ts';

/** How long both watch, seconds of film. */
const WATCHED = 30;

/** A playhead that stands still for so long is a stall, ms. */
const STALL_MS = 300;

test('two viewers play the live stream for 30 s with no stall', async (t) => {
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
  // Segments that the first viewer had when the second came.
  assert.ok(shared > 0, 'nothing was shared');
});
