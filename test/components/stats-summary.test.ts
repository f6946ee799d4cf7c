import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatBytes, summarize } from '../../components/stats-summary.ts';
import type { MeshStats } from '../../mesh/page/types.ts';

const STATS: MeshStats = {
  peers: 0,
  bytes: { origin: 0, peers: 0, store: 0, uploaded: 0 },
  total: { origin: 0, peers: 0, store: 0, uploaded: 0 },
  tabs: 1,
  banned: 0,
  signaling: 'joined',
  originReachable: true,
  lineRate: null,
  noMesh: null,
  peer: null,
  offload: 0,
};

const stateOf = (stats: Partial<MeshStats>): string => summarize({ ...STATS, ...stats }).state;

test('the state says in words how things stand', () => {
  assert.equal(stateOf({ signaling: 'off' }), 'Not sharing');
  assert.equal(stateOf({ signaling: 'connecting' }), 'Joining…');
  assert.equal(stateOf({}), 'Alone here');
  assert.equal(stateOf({ peers: 1 }), '1 neighbour');
  assert.equal(stateOf({ peers: 3 }), '3 neighbours');
  assert.equal(stateOf({ peers: 3, banned: 1 }), '3 neighbours, 1 banned');
});

test('an unreachable server is named, with what plays on', () => {
  assert.equal(stateOf({ signaling: 'unreachable' }), 'Server unreachable – plays on from the origin');
  assert.equal(stateOf({ signaling: 'unreachable', peers: 2 }), 'Server unreachable – plays on with 2 neighbours');
});

test('an unreachable origin counts more than an unreachable server', () => {
  assert.equal(
    stateOf({ originReachable: false, signaling: 'unreachable', peers: 2 }),
    'Origin unreachable – plays on from 2 neighbours',
  );
  assert.equal(stateOf({ originReachable: false }), 'Origin unreachable – plays on from this device');
});

test('trouble and sharing have different moods', () => {
  assert.equal(summarize({ ...STATS, originReachable: false }).mood, 'trouble');
  assert.equal(summarize({ ...STATS, peers: 1 }).mood, 'sharing');
  assert.equal(summarize(STATS).mood, 'alone');
});

test('the shares of the sources add up to one, whatever was handed out', () => {
  const { shares } = summarize({ ...STATS, bytes: { origin: 100, peers: 600, store: 300, uploaded: 999 } });
  assert.deepEqual(
    shares.map(({ from, fraction }) => [from, fraction]),
    [
      ['peers', 0.6],
      ['store', 0.3],
      ['origin', 0.1],
    ],
  );
});

test('before anything was consumed all shares are empty, not NaN', () => {
  assert.deepEqual(
    summarize(STATS).shares.map(({ fraction }) => fraction),
    [0, 0, 0],
  );
});

test('offload is a whole percentage', () => {
  assert.equal(summarize({ ...STATS, offload: 0.8349 }).offload, '83 %');
  assert.equal(summarize({ ...STATS, offload: -0.1 }).offload, '0 %');
});

test('the whole panel is one sentence for a screen reader', () => {
  const { text } = summarize({
    ...STATS,
    peers: 2,
    offload: 0.5,
    bytes: { origin: 1e6, peers: 1e6, store: 0, uploaded: 64e3 },
  });
  assert.equal(
    text,
    '2 neighbours. Neighbours 1.0 MB, This device 0 bytes, Origin 1.0 MB. Handed out 64.0 kB. Offload 50 %.',
  );
});

test('bytes are written in decimal units with three digits', () => {
  const written = [0, 999, 1000, 64_200, 999_000, 12_345_678, 250e6, 3e9, 5e15].map(formatBytes);
  assert.deepEqual(written, [
    '0 bytes',
    '999 bytes',
    '1.0 kB',
    '64.2 kB',
    '999 kB',
    '12.3 MB',
    '250 MB',
    '3.0 GB',
    '5000 TB',
  ]);
});
