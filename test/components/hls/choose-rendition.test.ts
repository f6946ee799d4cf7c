import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { chooseRendition, type RenditionView } from '../../../components/hls/choose-rendition.ts';
import type { Held } from '../../../protocol/page.ts';

const RICH = 100e6;

/** "s" in the store, "n" at a neighbour, "-" nobody; renditions of 1, 2, 3 … Mbit/s. */
const renditions = (...held: string[]): RenditionView[] =>
  held.map((letters, index) => ({
    bitrate: (index + 1) * 1e6,
    held: Array.from(letters, (letter): Held => (letter === 's' ? 'store' : letter === 'n' ? 'neighbour' : 'nobody')),
  }));

const gone = (held: string[], suggested = 0, estimate = RICH): number =>
  chooseRendition({ renditions: renditions(...held), suggested, estimate, originReachable: false });

test("while the origin is there, the player's own choice stands", () => {
  assert.equal(
    chooseRendition({ renditions: renditions('ss', '--', 'ss'), suggested: 1, estimate: RICH, originReachable: true }),
    1,
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
  assert.equal(
    chooseRendition({
      renditions: renditions('nn', 'nn', 'nn'),
      suggested: 0,
      estimate: RICH,
      originReachable: false,
      cap: 1,
    }),
    1,
  );
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
    originReachable: fc.constant(false),
  });
  fc.assert(
    fc.property(input, (question) => {
      const { held: chosen = [] } = question.renditions[chooseRendition(question)] ?? {};
      const someHeld = question.renditions.some(
        (rendition) => rendition.held.length > 0 && rendition.held[0] !== 'nobody',
      );
      assert.ok(!someHeld || (chosen.length > 0 && chosen[0] !== 'nobody'));
    }),
  );
});
