import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  chooseRendition,
  NOTHING_REMEMBERED,
  turnOf,
  type RenditionQuestion,
  type RenditionView,
} from '../../../components/hls/choose-rendition.ts';
import { CRITICAL_BUFFER_S, FOLLOW_MS, SHORT_BUFFER_S, STEP_UP_AFTER_MS } from '../../../components/hls/limits.ts';
import type { Held } from '../../../protocol/page.ts';

const RICH = 100e6;
const LETTERS: Readonly<Record<string, Held>> = { s: 'store', n: 'neighbour', c: 'coming', '-': 'nobody' };

const heldOf = (letters: string): Held[] => Array.from(letters, (letter) => LETTERS[letter] ?? 'nobody');

/** "s" in the store, "n" at a neighbour, "c" coming, "-" nobody; renditions of 1, 2, 3 … Mbit/s. */
const renditions = (...held: string[]): RenditionView[] =>
  held.map((letters, index) => ({ bitrate: (index + 1) * 1e6, held: heldOf(letters) }));

/** Three renditions of 1, 2 and 4 Mbit/s that nobody holds, the first of them playing on a full buffer. */
const QUESTION: RenditionQuestion = {
  renditions: [1e6, 2e6, 4e6].map((bitrate) => ({ bitrate, held: heldOf('--') })),
  suggested: 0,
  current: 0,
  originReachable: true,
  inCompany: true,
  lineRate: null,
  estimate: RICH,
  ahead: 20,
  now: 0,
};

const holding = (...held: string[]): Pick<RenditionQuestion, 'renditions'> => ({
  renditions: QUESTION.renditions.map((rendition, index) => ({ ...rendition, held: heldOf(held[index] ?? '') })),
});

const choose = (question: Partial<RenditionQuestion>, memory = NOTHING_REMEMBERED): number =>
  chooseRendition({ ...QUESTION, ...question }, memory).rendition;

const gone = (held: string[], suggested = 0, estimate = RICH, cap?: number): number =>
  choose({
    renditions: renditions(...held),
    suggested,
    estimate,
    originReachable: false,
    ...(cap !== undefined && { cap }),
  });

/** A player that does what it is told, and asks once a second. */
class Player {
  memory = NOTHING_REMEMBERED;
  current: number | null = null;
  readonly switches: number[] = [];
  readonly played = [0, 0, 0];
  now = 0;

  /** Asks several times, as hls.js does, then obeys. */
  ask(question: Partial<RenditionQuestion> = {}): number {
    let rendition = 0;
    for (let again = 0; again < 3; again++) {
      const choice = chooseRendition({ ...QUESTION, ...question, current: this.current, now: this.now }, this.memory);
      this.memory = choice.memory;
      rendition = choice.rendition;
    }
    if (this.current !== null && rendition !== this.current) this.switches.push(this.now);
    this.current = rendition;
    this.played[rendition]!++;
    this.now += 1000;
    return rendition;
  }

  /** Asks for so many seconds. */
  run(seconds: number, question: (now: number) => Partial<RenditionQuestion>): void {
    for (let second = 0; second < seconds; second++) this.ask(question(this.now));
  }
}

for (const [line, best] of [
  [3e6, 1],
  [8e6, 2],
  [50e6, 2],
  [1.1e6, 0],
  [0.5e6, 0],
] as const)
  test(`of 1, 2 and 4 Mbit/s, a line of ${line / 1e6} Mbit/s carries number ${best} with headroom, however fast the neighbours are`, () => {
    const player = new Player();
    player.run(60, () => ({ lineRate: line, suggested: 2 }));
    assert.ok(player.played[best]! >= 58, player.played.join());
    assert.ok(player.switches.every((at) => at < 15_000));
  });

test('what is played first is what the player begins with, or less where the line carries less', () => {
  assert.equal(choose({ current: null, suggested: 1 }), 1);
  assert.equal(choose({ current: null, suggested: 2, lineRate: 3e6 }), 1);
  assert.equal(choose({ current: null, suggested: 0, lineRate: 50e6 }), 0);
});

test('what is played first is what the site plays, if the line carries it', () => {
  assert.equal(choose({ current: null, ...holding('--', 'nc', '--') }), 1);
  assert.equal(choose({ current: null, ...holding('n-', '--', 'nn') }), 2);
  assert.equal(choose({ current: null, ...holding('n-', '--', 'nn'), lineRate: 3e6 }), 0);
});

test('while the rate of the line is not known, nobody climbs on what neighbours deliver', () => {
  assert.equal(choose({ suggested: 2, ...holding('nn', '--', '--') }), 0);
  assert.equal(choose({ suggested: 2, ...holding('--', 'cc', '--') }), 1);
  assert.equal(choose({ suggested: 2 }), 0, 'nor where nobody has asked for the next segment yet');
  assert.equal(choose({ suggested: 2, inCompany: false }), 2, "alone, the player's own rules");
  assert.equal(choose({ current: 1, suggested: 0, ...holding('--', 'nn', '--') }), 0, 'down when the player wants to');
});

test('where the rate of the line stays unknown, as with small segments, they go up one step at a time', () => {
  const player = new Player();
  player.ask();
  player.run(60, () => ({ suggested: 2, ...holding('nn', '--', '--') }));
  assert.deepEqual(player.switches, [11_000, 22_000]);
  const other = new Player();
  other.ask();
  other.run(60, () => ({ suggested: 2, ...holding('nn', 'nn', 'nn'), estimate: 1.2e6 }));
  assert.deepEqual(other.switches, [11_000, 22_000]);
});

test('at first steps up need not wait, later ones must', () => {
  const player = new Player();
  player.ask();
  assert.equal(player.ask({ lineRate: 3e6 }), 1);
  assert.equal(player.ask({ lineRate: 8e6 }), 2);
  const other = new Player();
  other.ask();
  other.run(2 + STEP_UP_AFTER_MS / 1000, () => ({ lineRate: 3e6 }));
  other.run(STEP_UP_AFTER_MS / 1000, () => ({ lineRate: 8e6 }));
  assert.equal(other.current, 1);
  assert.equal(other.ask({ lineRate: 8e6 }), 2);
});

test('headroom that does not last is none', () => {
  const player = new Player();
  player.ask();
  player.run(2 + STEP_UP_AFTER_MS / 1000, () => ({ lineRate: 3e6 }));
  player.run(60, (now) => ({ lineRate: now % 9000 === 0 ? 3e6 : 8e6 }));
  assert.equal(player.current, 1);
});

test('a rendition that the line no longer carries is left when the buffer is short, at once', () => {
  const memory = { ...NOTHING_REMEMBERED, current: 2, most: 20 };
  assert.equal(choose({ current: 2, lineRate: 3e6, ahead: SHORT_BUFFER_S + 1 }, memory), 2);
  assert.equal(choose({ current: 2, lineRate: 3e6, ahead: SHORT_BUFFER_S - 1 }, memory), 1);
  assert.equal(choose({ current: 2, lineRate: 4.2e6, ahead: 1 }, memory), 2, 'it is carried, if without headroom');
});

test('slow neighbours make it step down when the buffer runs dry, not when it has yet to be filled', () => {
  const question = { current: 2, lineRate: 50e6, estimate: 1.5e6, ahead: CRITICAL_BUFFER_S - 1 };
  assert.equal(choose(question, { ...NOTHING_REMEMBERED, current: 2, most: 20 }), 0);
  assert.equal(choose(question, { ...NOTHING_REMEMBERED, current: 2, most: 4 }), 2);
  assert.equal(choose({ ...question, estimate: 5e6 }, { ...NOTHING_REMEMBERED, current: 2, most: 20 }), 2);
});

test('each fall doubles the wait for the next step up', () => {
  const player = new Player();
  player.ask();
  player.ask({ lineRate: 8e6 });
  player.ask({ lineRate: 1.5e6, ahead: 3 });
  assert.equal(player.current, 0);
  const fellAt = player.now;
  while (player.ask({ lineRate: 8e6 }) === 0);
  assert.equal(player.now - fellAt, 2 * STEP_UP_AFTER_MS + 1000);
});

test('all go up at the first segment that nobody has or brings', () => {
  const question = { ...QUESTION, lineRate: 3e6 };
  for (const held of ['nnc---', 'sc----', 'c-----']) {
    const { rendition, then } = chooseRendition({ ...question, ...holding(held, '------', '------') });
    assert.deepEqual({ rendition, then }, { rendition: 0, then: 1 }, held);
  }
  const { rendition, then } = chooseRendition({ ...question, ...holding('------', '------', '------') });
  assert.deepEqual({ rendition, then }, { rendition: 1, then: 1 });
  const without = chooseRendition({ ...question, ...holding('nn', '--', '--'), lineRate: 2e6 });
  assert.deepEqual([without.rendition, without.then], [0, 0], 'nothing follows that the line does not carry');
});

test('the turn is where the site has the rendition that follows, or nobody has or brings this one', () => {
  for (const [held, heldOfThen, turn] of [
    ['nnc---', '------', 3],
    ['nnnnnn', '---n--', 3],
    ['nnnnnn', '---c--', 3],
    ['nn----', '---c--', 2],
    ['------', 'n-----', 1],
    ['nnnnnn', '------', 6],
    ['', '', 0],
  ] as const)
    assert.equal(turnOf(heldOf(held), heldOf(heldOfThen)), turn, `${held} ${heldOfThen}`);
});

test('with a short buffer nobody goes up unless the line has much to spare', () => {
  const ahead = SHORT_BUFFER_S - 1;
  assert.equal(choose({ lineRate: 3e6, ahead }), 0);
  assert.equal(choose({ lineRate: 3e6, ahead: SHORT_BUFFER_S }), 1);
  assert.equal(choose({ lineRate: 8e6, ahead }), 2);
});

test('who is behind follows the neighbours, for a while', () => {
  const player = new Player();
  player.ask(holding('nn', '--', '--'));
  player.run(FOLLOW_MS / 1000, () => ({ ...holding('nn', '--', '--'), lineRate: 8e6 }));
  assert.equal(player.current, 0);
  assert.equal(player.ask({ ...holding('nn', '--', '--'), lineRate: 8e6 }), 2);
  const other = new Player();
  other.ask(holding('nn', '--', '--'));
  assert.equal(other.ask({ ...holding('nn', '--', 'cn'), lineRate: 8e6 }), 2, 'to where they have climbed');
  const third = new Player();
  third.ask();
  assert.equal(third.ask({ ...holding('--', 'nn', '--'), lineRate: 8e6 }), 1, 'or half the way');
});

test("other codecs, failed renditions and the player's bounds are heeded", () => {
  const unusable = QUESTION.renditions.map((view, index) => ({ ...view, usable: index !== 2 }));
  assert.equal(choose({ renditions: unusable, lineRate: 50e6 }), 1);
  assert.equal(choose({ lineRate: 50e6, cap: 1 }), 1);
  assert.equal(choose({ current: 2, lineRate: 50e6, cap: 1 }), 1);
  assert.equal(choose({ current: 0, lineRate: 1e6, floor: 1 }), 1);
  assert.equal(choose({ current: 0, lineRate: 3e6, floor: 1, ...holding('nn', '--', '--') }), 1);
});

test('whatever the estimates do, at most three switches between 15 s and 60 s', () => {
  const jitter = fc.array(fc.double({ min: 0.6, max: 1.5, noNaN: true }), { minLength: 60, maxLength: 60 });
  fc.assert(
    fc.property(jitter, jitter, fc.constantFrom(3e6, 5e6, 8e6, 50e6), (line, delivery, rate) => {
      const player = new Player();
      let ahead = 0;
      player.run(60, (now) => {
        const second = now / 1000;
        // The buffer fills or drains as the line allows.
        const bitrate = QUESTION.renditions[player.current ?? 0]?.bitrate ?? 1e6;
        ahead = Math.min(30, Math.max(0, ahead + Math.min(2, rate / bitrate) - (second > 1 ? 1 : 0)));
        return {
          lineRate: second < 2 ? null : rate * (line[second] ?? 1),
          estimate: rate * (delivery[second] ?? 1),
          ahead,
        };
      });
      assert.ok(player.switches.filter((at) => at >= 15_000).length <= 3, player.switches.join());
    }),
  );
});

test('when the origin is gone, the best rendition that is held', () => {
  assert.equal(gone(['nn', 'nn', '--'], 2), 1);
});

test('a lower rendition that goes on beats a higher one that ends with the next segment', () => {
  assert.equal(gone(['nn', 'nn', 'n-'], 2), 1);
});

test('one held segment is better than none', () => {
  assert.equal(gone(['--', 'n-', '--'], 2), 1);
});

test('a rendition whose next segment is missing does not count, whatever comes after', () => {
  assert.equal(gone(['n-', '-nnn', '--'], 1), 0);
});

test('at the end of the stream one segment is all there is', () => {
  assert.equal(gone(['n', 'n', 'n'], 0), 2);
});

test('of held renditions the line must carry the one that comes from a neighbour', () => {
  assert.equal(gone(['nn', 'nn', 'nn'], 0, 3e6), 1);
});

test('what is in the store needs no line', () => {
  assert.equal(gone(['nn', 'nn', 'ss'], 0, 1e6), 2);
});

test('if the line carries none of the held ones, the smallest', () => {
  assert.equal(gone(['--', 'nn', 'nn'], 0, 1e5), 1);
});

test('when nobody holds anything, the suggestion stands', () => {
  assert.equal(gone(['--', '--', '--'], 2), 2);
  assert.equal(gone(['', '', ''], 1), 1);
});

test("the player's cap holds", () => {
  assert.equal(gone(['nn', 'nn', 'nn'], 0, RICH, 1), 1);
});

test('with the origin gone, a rendition whose next segment nobody holds is never chosen while another one is held', () => {
  const held = fc.array(fc.constantFrom<Held>('store', 'neighbour', 'nobody'), { maxLength: 4 });
  const input = fc.record({
    renditions: fc.array(fc.record({ bitrate: fc.integer({ min: 1, max: 1e8 }), held }), {
      minLength: 1,
      maxLength: 6,
    }),
    suggested: fc.nat(5),
    estimate: fc.integer({ min: 0, max: 1e9 }),
  });
  fc.assert(
    fc.property(input, (given) => {
      const { held: chosen = [] } = given.renditions[choose({ ...given, originReachable: false })] ?? {};
      const someHeld = given.renditions.some(
        (rendition) => rendition.held.length > 0 && rendition.held[0] !== 'nobody',
      );
      assert.ok(!someHeld || (chosen.length > 0 && chosen[0] !== 'nobody'));
    }),
  );
});
