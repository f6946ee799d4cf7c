import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  OUTSIDE_CHOICE_BLOCKS,
  OUTSIDE_FIRST_BYTE_MS,
  OUTSIDE_LATER_MS,
  OUTSIDE_LULL_MS,
  OUTSIDE_PATIENCE_MAX_MS,
  OUTSIDE_RATE_MS,
  OUTSIDE_RATE_SHARE,
  OUTSIDE_SLACK_SHARE,
} from '../../../mesh/core/limits.ts';
import { choiceOf, isTooLate, type OutsideProgress } from '../../../mesh/core/outside.ts';

/** 1 MB of which the origin would bring 1,000 bytes per ms. */
const progress = (more: Partial<OutsideProgress> = {}): OutsideProgress => ({
  missing: 1_000_000,
  gained: null,
  openFor: 0,
  lull: 0,
  slack: Infinity,
  originTime: { once: 1000, each: 1000 },
  ...more,
});

/** Bytes per ms, over so long that it is believed. */
const at = (rate: number): OutsideProgress['gained'] => ({ bytes: rate * 60_000, within: 60_000 });

for (const [what, more, late] of [
  ['nobody knows at once', {}, false],
  ['who is alone and needs it now does not ask', { slack: 0 }, true],
  ['nor who needs it as soon as the origin could bring it', { slack: 1000 }, true],
  ['who is alone and has time asks', { slack: 1001 }, false],
  ['who has company asks, though it needs it now', { slack: 0, originTime: { once: 1000, each: 2000 } }, false],
  ['no first byte for long', { openFor: 2 * OUTSIDE_FIRST_BYTE_MS }, true],
  ['who has time waits for it', { openFor: 2 * OUTSIDE_FIRST_BYTE_MS, slack: 20_000 }, false],
  ['no first byte for half of the time, alone', { openFor: 5000, slack: 10_000 }, false],
  [
    'no first byte for half of the time, and others of the site wait too',
    { openFor: 5000, slack: 10_000, originTime: { once: 1000, each: 2000 } },
    true,
  ],
  [
    'no first byte for more than half of a short time, and others of the site wait too',
    { openFor: OUTSIDE_FIRST_BYTE_MS - 1, slack: 3000, originTime: { once: 1000, each: 2000 } },
    false,
  ],
  [
    'no first byte for longer than it may always take, and others of the site wait too',
    { openFor: OUTSIDE_FIRST_BYTE_MS + 1, slack: 3000, originTime: { once: 1000, each: 2000 } },
    true,
  ],
  ['no first byte for long, and the origin would still be in time', { openFor: 400, slack: 1500 }, true],
  ['too slow, alone, and a quarter of the time is left', { gained: { bytes: 0, within: 1500 }, slack: 1500 }, true],
  ['too slow so far, alone, and there is more', { gained: { bytes: 0, within: 1499 }, slack: 1500 }, false],
  [
    'too slow so far, and others of the site wait too',
    { gained: { bytes: 400_000, within: 400 }, slack: 1500, originTime: { once: 1000, each: 2000 } },
    true,
  ],
  ['fast enough, though there is little time', { gained: at(3000), openFor: 400, slack: 1500 }, false],
  ['as fast as the origin', { gained: at(1000) }, false],
  ['half as fast, and no time', { gained: at(500) }, true],
  ['half as fast, and time', { gained: at(500), slack: 10_000 }, false],
  ['it would take more of the time than it may', { gained: at(999 / 9 / OUTSIDE_SLACK_SHARE), slack: 10_000 }, true],
  [
    'the last block does not come, and no time',
    { missing: 1000, gained: at(1000), lull: 2 * OUTSIDE_LATER_MS + 1000 },
    true,
  ],
  ['the last block does not come, and time', { missing: 1000, gained: at(1000), lull: 2000, slack: 10_000 }, false],
  [
    'the last block does not come, and others of the site wait too',
    { missing: 1000, gained: at(1000), lull: OUTSIDE_LULL_MS + 1, slack: 10_000, originTime: { once: 1, each: 2 } },
    true,
  ],
  ['who does not know when has no time', { gained: at(500), slack: Infinity }, true],
  [
    'half as fast, where each of the site would share the line',
    { gained: at(500), originTime: { once: 1000, each: 30_000 } },
    false,
  ],
] as const)
  test(`${what}: ${late ? 'the origin' : 'outside'}`, () => assert.equal(isTooLate(progress(more)), late));

test('a lone viewer without time never waits much longer than the origin takes', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 1, max: 1e4, noNaN: true }),
      fc.double({ min: 1, max: 1e4, noNaN: true }),
      (rate, once) => {
        const late = isTooLate(progress({ gained: at(rate), originTime: { once, each: once } }));
        assert.equal(late, 1_000_000 / rate > once + OUTSIDE_LATER_MS);
      },
    ),
  );
});

test('nobody waits longer than the longest patience', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), fc.integer({ min: 1, max: 1000 }), (slack, members) => {
      const originTime = { once: 100, each: 100 * members };
      const gained = at(1_000_000 / (OUTSIDE_PATIENCE_MAX_MS + 1));
      assert.ok(isTooLate(progress({ gained, slack, originTime })));
      assert.ok(isTooLate(progress({ openFor: OUTSIDE_PATIENCE_MAX_MS + 1, slack, originTime })));
    }),
  );
});

test('who has no time judges soon after the first block', () => {
  const hurried = (within: number): OutsideProgress => progress({ gained: { bytes: 0, within } });
  const soon = Math.max(OUTSIDE_RATE_MS, (1000 + OUTSIDE_LATER_MS) * OUTSIDE_RATE_SHARE.hurry);
  assert.ok(!isTooLate(hurried(soon - 1)));
  assert.ok(isTooLate(hurried(soon)));
});

for (const kind of ['company', 'alone'] as const)
  test(`who has time does not judge by the pace of the first blocks: ${kind}`, () => {
    const most = 2000;
    const slack = 1000 + most / OUTSIDE_SLACK_SHARE;
    const originTime = { once: 1000, each: kind === 'alone' ? 1000 : 2000 };
    const calm = (within: number): OutsideProgress => progress({ gained: { bytes: 0, within }, slack, originTime });
    assert.ok(!isTooLate(calm(most * OUTSIDE_RATE_SHARE[kind] - 1)));
    assert.ok(isTooLate(calm(most * OUTSIDE_RATE_SHARE[kind])));
  });

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

test('a source is asked for its share, of what it has, the rarest first', () => {
  const rarity = [3, 1, 2, 1, 3, 2];
  const choice = (has: (block: number) => boolean, free: number): readonly number[] =>
    choiceOf(range(6), has, (block) => rarity[block] ?? 0, free, 0);
  assert.deepEqual(
    choice(() => true, 1),
    range(6),
  );
  assert.deepEqual(
    choice(() => true, 2),
    [1, 2, 3],
  );
  assert.deepEqual(
    choice((block) => block !== 3, 3),
    [1, 2],
  );
  assert.deepEqual(
    choice(() => false, 3),
    [],
  );
});

test('each peer begins with another of equal blocks, and of a long asset nobody with what is far behind', () => {
  const first = (draw: number): number | undefined =>
    choiceOf(
      range(16),
      () => true,
      () => 1,
      16,
      draw,
    )[0];
  assert.deepEqual([first(0), first(0.5), first(0.99)], [0, 8, 15]);
  const far = choiceOf(
    range(1000),
    () => true,
    (block) => 1000 - block,
    1,
    0.5,
  );
  assert.deepEqual(far, range(OUTSIDE_CHOICE_BLOCKS));
});
