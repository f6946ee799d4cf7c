import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BLOCK_BYTES, MAX_SDP_CHARACTERS, MAX_SWARM_ID_CHARACTERS, MAX_SWARMS } from '../../protocol/limits.ts';
import * as limits from '../../server/limits.ts';
import { within } from '../../server/within.ts';

test('the documented limits are these', () => {
  assert.equal(limits.MANIFEST_WAIT_MS, 2000);
  assert.equal(limits.LIVE_PLAYLIST_WAIT_MS, 1000);
  assert.equal(limits.CLOSE_GRACE_MS, 1000); // of the 2 s that closing may take
  assert.equal(limits.LIVE_WINDOW_SEGMENTS, 6);
  assert.equal(limits.SWARM_NEWS_INTERVAL_MS, 1000);
  assert.equal(limits.SITE_IPV6_PREFIX, 56); // RFC 6177
  assert.equal(limits.TURN_TTL_SECONDS, 3600);
  assert.deepEqual([limits.SWARM_NEWS_EXACT_SIZE, limits.SWARM_NEWS_TOLERANCE], [30, 0.25]); // docs/wire.md
  assert.equal(limits.MAX_UNSENT_BYTES, 256 * 1024);
  assert.equal(limits.LISTEN_BACKLOG, 16_384); // more than the burst of 5,000 in docs/benchmarks.md
  assert.equal(limits.PING_INTERVAL_MS % limits.HEARTBEAT_STEP_MS, 0);
  assert.equal(limits.VOD_PLAYLIST_WAIT_MS, 8000); // hls.js waits 10 s for a playlist
});

test('the largest legal messages fit into what the server takes', () => {
  const join = JSON.stringify({
    version: 1,
    swarms: Array.from({ length: MAX_SWARMS }, () => '\uD800'.repeat(MAX_SWARM_ID_CHARACTERS)),
    resume: 'f'.repeat(32),
  });
  const offer = JSON.stringify({
    to: 'f'.repeat(32),
    signal: { kind: 'offer', connection: 1, sdp: '\n'.repeat(MAX_SDP_CHARACTERS) },
  });
  assert.ok(Buffer.byteLength(join) + 100 < limits.MAX_SIGNALING_BYTES);
  assert.ok(Buffer.byteLength(offer) + 100 < limits.MAX_SIGNALING_BYTES);
});

test('files are read in whole blocks, so that a block is never hashed in two pieces', () => {
  assert.equal(limits.HASH_READ_BYTES % BLOCK_BYTES, 0);
});

test('bounded waiting says whether the work was done', async () => {
  assert.equal(await within(5000, Promise.resolve()), true);
  assert.equal(await within(1, new Promise(() => undefined)), false);
  await assert.rejects(within(5000, Promise.reject(new Error('no'))), /no/);
});
