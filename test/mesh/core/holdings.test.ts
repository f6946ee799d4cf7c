import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Holdings } from '../../../mesh/core/holdings.ts';
import type { Digest, SwarmId } from '../../../protocol/ids.ts';

const [one, two] = ['1', '2'] as Digest[] as [Digest, Digest];
const [video, page] = ['video', 'page'] as SwarmId[] as [SwarmId, SwarmId];

test('an asset is new to each swarm once', () => {
  const holdings = new Holdings();
  assert.deepEqual(
    [holdings.add(video, one), holdings.add(video, one), holdings.add(page, one), holdings.add(video, two)],
    [true, false, true, true],
  );
  assert.deepEqual([holdings.in(video), holdings.in(page)], [[one, two], [one]]);
});

test('an asset that is gone is gone from all swarms, and those are named', () => {
  const holdings = new Holdings();
  for (const swarm of [video, page]) holdings.add(swarm, one);
  holdings.add(page, two);
  assert.deepEqual(holdings.remove(one), [video, page]);
  assert.deepEqual(holdings.remove(one), []);
  assert.deepEqual([holdings.in(video), holdings.in(page)], [[], [two]]);
  assert.equal(holdings.add(video, one), true);
});

test('an unknown swarm holds nothing', () => {
  assert.deepEqual(new Holdings().in(video), []);
});

test('it holds what was added and not removed since', () => {
  const digest = fc.constantFrom('a', 'b', 'c') as fc.Arbitrary<string> as fc.Arbitrary<Digest>;
  const swarm = fc.constantFrom(video, page);
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom('add', 'remove'), swarm, digest)), (steps) => {
      const holdings = new Holdings();
      const model = new Set<string>();
      for (const [what, where, asset] of steps) {
        if (what === 'add') {
          assert.equal(holdings.add(where, asset), !model.has(`${where} ${asset}`));
          model.add(`${where} ${asset}`);
        } else {
          const known = [video, page].filter((id) => model.delete(`${id} ${asset}`));
          assert.deepEqual([...holdings.remove(asset)].sort(), known.sort());
        }
        for (const id of [video, page])
          assert.deepEqual(
            [...holdings.in(id)].map((held) => `${id} ${held}`).sort(),
            [...model].filter((key) => key.startsWith(`${id} `)).sort(),
          );
      }
    }),
  );
});
