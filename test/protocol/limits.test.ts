import assert from 'node:assert/strict';
import test from 'node:test';
import * as mesh from '../../mesh/core/limits.ts';
import * as wire from '../../protocol/limits.ts';
import * as worker from '../../sw/limits.ts';
import { fragmentsOf } from './fragments.ts';

/** The constants are literals to the compiler, which would know the answer. */
const atMost = (value: number, most: number): void => assert.ok(value <= most, `${value} > ${most}`);

test('a block with its index, and the leaves of the largest asset with its size, fit into one frame', () => {
  atMost(4 + wire.BLOCK_BYTES, wire.MAX_FRAME_BYTES);
  atMost(4 + Math.ceil(wire.MAX_ASSET_BYTES / wire.BLOCK_BYTES) * wire.HASH_BYTES, wire.MAX_FRAME_BYTES);
});

test('a full HAVE and a full hello fit into one frame', () => {
  atMost(wire.ID_BYTES + wire.MAX_DIGESTS_PER_FRAME * wire.HASH_BYTES, wire.MAX_FRAME_BYTES);
  atMost(1 + wire.MAX_SWARMS * wire.ID_BYTES, wire.MAX_FRAME_BYTES);
});

test('sizes fit into the 32 bits that the wire has for them', () => {
  assert.ok(wire.MAX_ASSET_BYTES < 2 ** 32);
  assert.ok(wire.MAX_FRAME_BYTES < 2 ** 32);
});

test('a message has room for its header and more, and no message is longer than all peers take', () => {
  assert.ok(wire.MIN_MESSAGE_BYTES > 2 * wire.FRAME_HEADER_BYTES);
  atMost(wire.MIN_MESSAGE_BYTES, wire.MAX_MESSAGE_BYTES);
});

test('a block fits into one message, and goes in two', () => {
  const frame = { type: 6, request: 1, payload: new Uint8Array(4 + wire.BLOCK_BYTES) };
  assert.equal([...fragmentsOf(frame, wire.MAX_MESSAGE_BYTES)].length, 1);
  assert.equal([...fragmentsOf(frame, mesh.CONTENT_MESSAGE_BYTES)].length, 2);
});

test('at 1 Mbit/s a message comes well before silence is noticed', () => {
  atMost(mesh.CONTENT_MESSAGE_BYTES / 125, 0.6 * mesh.SILENCE_MS);
  atMost(wire.MIN_MESSAGE_BYTES, mesh.CONTENT_MESSAGE_BYTES);
  atMost(mesh.CONTENT_MESSAGE_BYTES, wire.MAX_MESSAGE_BYTES);
});

test('parts are whole blocks, and a part is an asset', () => {
  assert.equal(wire.MAX_PART_BYTES % wire.BLOCK_BYTES, 0);
  atMost(wire.MAX_PART_BYTES, wire.MAX_ASSET_BYTES);
});

test('the neighbours of both kinds together are as many as a peer may have', () => {
  assert.equal(wire.SITE_NEIGHBOURS + wire.OUTSIDE_NEIGHBOURS, wire.MAX_NEIGHBOURS);
});

test('what one neighbour may have half-arrived is below a megabyte', () => {
  assert.ok(wire.MAX_OPEN_FRAMES * wire.MAX_FRAME_BYTES < 2 ** 20);
});

test('silence is noticed long before a neighbour is gone, and a gone one within 5 s', () => {
  assert.ok(mesh.SILENCE_MS + mesh.SILENCE_TICK_MS < mesh.GONE_AFTER_MS / 4);
  assert.ok(mesh.GONE_AFTER_MS + mesh.LIVENESS_TICK_MS < 5000);
  assert.ok(mesh.PING_AFTER_MS + mesh.LIVENESS_TICK_MS < mesh.GONE_AFTER_MS);
});

test('the wait for a channel ends within the wait of the first request, and both within the issue’s bounds', () => {
  atMost(mesh.CHANNEL_WAIT_MS, 700);
  atMost(mesh.FIRST_REQUEST_WAIT_MS, 1000);
  atMost(mesh.CHANNEL_WAIT_MS, mesh.FIRST_REQUEST_WAIT_MS);
  atMost(mesh.UNANSWERED_WAIT_MS + mesh.ANSWERED_WAIT_MS, mesh.COMPANY_WAIT_MS);
});

test('who fills a window hears that a part of it came', () => {
  for (const window of [mesh.SITE_WINDOW_BYTES, mesh.OUTSIDE_WINDOW_BYTES]) {
    atMost(mesh.CONFIRM_BYTES, window - mesh.CONTENT_MESSAGE_BYTES);
  }
});

test('one asset can be asked for at its widest without being refused as busy', () => {
  atMost(mesh.REQUESTS_PER_NEIGHBOUR, mesh.REQUESTS_FROM_NEIGHBOUR);
});

test('the store takes the largest asset', () => {
  atMost(wire.MAX_ASSET_BYTES, mesh.STORE_BYTES);
});

test('a server that restarts is found again within 10 s', () => {
  atMost(mesh.RECONNECT_AFTER_MS, mesh.RECONNECT_AFTER_MAX_MS);
  assert.ok(1.5 * mesh.RECONNECT_AFTER_MAX_MS + mesh.CONNECT_TIMEOUT_MS / 2 < 10_000);
});

test('the service worker waits for an engine no longer than an engine waits for the mesh', () => {
  atMost(worker.PORT_WAIT_MS, mesh.FIRST_REQUEST_WAIT_MS);
  atMost(worker.HEARD_MS, worker.ENGINE_SILENCE_MS);
});
