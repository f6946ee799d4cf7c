import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { BlockTable, type Run } from '../../../mesh/core/block-table.ts';

test('runs are handed out from the front, each block once', () => {
  const table = new BlockTable(10);
  assert.deepEqual(
    [table.take(4), table.take(4), table.take(4), table.take(4)],
    [{ first: 0, count: 4 }, { first: 4, count: 4 }, { first: 8, count: 2 }, null],
  );
});

test('what did not come is missing again; what came stays', () => {
  const table = new BlockTable(6);
  const run = table.take(6)!;
  table.check(2);
  table.release(run);
  assert.deepEqual(
    [table.take(Infinity), table.take(Infinity), table.take(Infinity)],
    [{ first: 0, count: 2 }, { first: 3, count: 3 }, null],
  );
  assert.equal(table.checked, 1);
});

test('a run ends before a block that somebody else was asked for', () => {
  const table = new BlockTable(5);
  const first = table.take(1)!;
  table.take(1);
  table.release(first);
  assert.deepEqual(table.take(Infinity), { first: 0, count: 1 });
});

test('a block is checked once, and one that does not exist never', () => {
  const table = new BlockTable(2);
  assert.deepEqual(
    [table.check(1), table.check(1), table.check(2), table.check(-1), table.check(0.5)],
    [true, false, false, false, false],
  );
  assert.deepEqual([table.checked, table.complete], [1, false]);
  table.check(0);
  assert.deepEqual([table.checked, table.complete, table.take(1)], [2, true, null]);
});

test('of a choice one block is enough, the others are missing again', () => {
  const table = new BlockTable(6);
  table.take(1);
  const choice = table.choose([1, 3, 5]);
  assert.deepEqual([table.missing, table.here], [[2, 4], []]);
  assert.deepEqual(table.take(3), { first: 2, count: 1 });
  table.check(3);
  table.release(choice);
  assert.deepEqual([table.missing, table.here], [[1, 4, 5], [3]]);
});

test('a block that comes unasked counts', () => {
  const table = new BlockTable(1);
  assert.equal(table.check(0), true);
  assert.equal(table.complete, true);
});

test('what is not checked is found whether it is asked for or not', () => {
  const table = new BlockTable(6);
  table.take(2);
  table.check(0);
  table.check(3);
  assert.deepEqual(table.unchecked, { first: 1, count: 2 });
  table.check(1);
  table.check(2);
  assert.deepEqual(table.unchecked, { first: 4, count: 2 });
  table.check(4);
  table.check(5);
  assert.equal(table.unchecked, null);
});

/** What the table should be, written plainly. */
class Model {
  readonly states: ('missing' | 'asked' | 'checked')[];

  constructor(count: number) {
    this.states = Array.from({ length: count }, () => 'missing');
  }
}

type Step = { readonly do: 'take'; readonly most: number } | { readonly do: 'release' | 'check'; readonly at: number };

test('whatever happens in whatever order, no block is asked of two at a time and none is forgotten', () => {
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({ do: fc.constant('take' as const), most: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ do: fc.constantFrom('release' as const, 'check' as const), at: fc.nat(25) }),
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.array(step, { maxLength: 60 }), (count, steps) => {
      const table = new BlockTable(count);
      const model = new Model(count);
      const runs: Run[] = [];
      for (const one of steps) {
        if (one.do === 'take') {
          const run = table.take(one.most);
          assert.equal(run === null, !model.states.includes('missing'));
          if (!run) continue;
          runs.push(run);
          assert.ok(run.count >= 1 && run.count <= one.most);
          for (let i = run.first; i < run.first + run.count; i++) {
            assert.equal(model.states[i], 'missing');
            model.states[i] = 'asked';
          }
        } else if (one.do === 'check') {
          const right = one.at < count && model.states[one.at] !== 'checked';
          assert.equal(table.check(one.at), right);
          if (right) model.states[one.at] = 'checked';
        } else {
          const [run] = runs.splice(one.at % Math.max(1, runs.length), 1);
          if (!run) continue;
          table.release(run);
          for (let i = run.first; i < run.first + run.count; i++)
            if (model.states[i] === 'asked') model.states[i] = 'missing';
        }
        assert.equal(table.checked, model.states.filter((state) => state === 'checked').length);
      }
      for (const run of runs) table.release(run);
      for (let run = table.take(3); run; run = table.take(3))
        for (let i = run.first; i < run.first + run.count; i++) assert.ok(table.check(i));
      assert.equal(table.complete, true);
    }),
    { numRuns: 300 },
  );
});
