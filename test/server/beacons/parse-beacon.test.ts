import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MAX_FIRST_FRAMES } from '../../../protocol/beacon.ts';
import { NO_MESH, parseBeacon } from '../../../server/beacons/parse-beacon.ts';

const BEACON = {
  bytes: { origin: 1, peers: 2, store: 3, uploaded: 4 },
  stalls: 1,
  stalled: 250,
  firstFrames: [300, 400],
  noMesh: null,
};

test('a beacon is taken as it is, but for fields that are not ours', () => {
  for (const noMesh of [null, ...NO_MESH])
    assert.deepEqual(parseBeacon({ ...BEACON, noMesh, group: 'holdout' }), { ok: true, value: { ...BEACON, noMesh } });
});

test('what is no beacon is refused, with what was expected and where', () => {
  const wrong: [unknown, RegExp][] = [
    [undefined, /Expected "beacon" to carry \{ bytes, stalls/],
    [{ ...BEACON, stalls: -1 }, /"stalls" must be an integer, not negative/],
    [{ ...BEACON, stalled: 0.5 }, /"stalled"/],
    [{ ...BEACON, stalled: Infinity }, /"stalled"/],
    [{ ...BEACON, bytes: { ...BEACON.bytes, origin: 2 ** 60 } }, /"bytes.origin"/],
    [{ ...BEACON, bytes: { origin: 1 } }, /"bytes/],
    [{ ...BEACON, noMesh: 'because' }, /"noMesh" must be one of not-sharing, joining/],
    [
      { ...BEACON, firstFrames: Array.from({ length: MAX_FIRST_FRAMES + 1 }, () => 1) },
      /"firstFrames" must be an array/,
    ],
    [{ ...BEACON, firstFrames: ['1'] }, /"firstFrames/],
  ];
  for (const [untrusted, expected] of wrong) {
    const parsed = parseBeacon(untrusted);
    assert.ok(!parsed.ok, JSON.stringify(untrusted));
    assert.equal(parsed.code, 'bad-message');
    assert.match(parsed.message, expected);
  }
});

test('whatever comes is refused or has the right shape', () => {
  fc.assert(
    fc.property(fc.object({ key: fc.constantFrom(...Object.keys(BEACON), '__proto__', 'origin') }), (untrusted) => {
      const parsed = parseBeacon({ ...BEACON, ...untrusted });
      if (!parsed.ok) return;
      const { bytes, stalls, stalled, firstFrames } = parsed.value;
      for (const amount of [bytes.origin, bytes.peers, bytes.store, bytes.uploaded, stalls, stalled, ...firstFrames])
        assert.ok(Number.isSafeInteger(amount) && amount >= 0);
    }),
  );
});
