import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replaceSection } from '../../../bench/classroom/benchmarks-page.ts';
import { runOptions } from '../../../bench/classroom/options.ts';
import { resultOf, type Result } from '../../../bench/classroom/result.ts';
import { bestHeight, REFERENCE, SCENARIOS, selectScenarios } from '../../../bench/classroom/scenarios.ts';
import { allPassed, disturbanceNote, table, verdicts, type Cell } from '../../../bench/classroom/table.ts';
import { copies, measurement, viewer } from './support.ts';

const run = (firstFrame: number, times = 1): Result =>
  resultOf(measurement([viewer(1, { firstFrame }), viewer(2, { firstFrame })], { served: copies(times) }));

const cell = (id: string, results: readonly Result[], more: Partial<Cell> = {}): Cell => {
  const [scenario] = SCENARIOS.filter((each) => each.id === id);
  assert.ok(scenario);
  return { scenario, system: 'p2p-elements', results, runs: results.length, ...more };
};

test('every scenario is a run that can be done', () => {
  for (const { id, options } of SCENARIOS) assert.doesNotThrow(() => runOptions(options), id);
  assert.equal(new Set(SCENARIOS.map(({ id }) => id)).size, SCENARIOS.length);
});

test('scenarios are chosen by the beginning of their id; the reference comes along where it is compared with', () => {
  const ids = (...words: string[]) => selectScenarios(words).map(({ id }) => id);
  assert.equal(ids().length, SCENARIOS.length);
  assert.deepEqual(ids('d1.tog'), ['D1.reference', 'D1.together']);
  assert.deepEqual(ids('D2'), ['D2.cut', 'D2.kill']);
  assert.deepEqual(ids('D5.3', 'D1.live'), ['D1.live', 'D5.3']);
  assert.throws(() => ids('D9'), /No scenario begins with "D9"\. There are: D1\.reference/);
});

test('the best rendition is the highest that the line carries with a fifth to spare', () => {
  assert.deepEqual([0.5, 1.2, 3, 4.7, 4.8, 8, 50].map(bestHeight), [108, 108, 144, 144, 180, 180, 180]);
});

test('a bar is met by the median of the runs', () => {
  const [copiesBar] = verdicts(cell('D1.stagger', [run(2, 1), run(2, 1), run(2, 6)]), undefined);
  assert.deepEqual([copiesBar?.value, copiesBar?.passed], [1, true]);
  assert.equal(verdicts(cell('D1.stagger', [run(2, 1), run(2, 2), run(2, 6)]), undefined)[0]?.passed, false);
});

test('a run that failed fails all bars of its scenario', () => {
  const failed = cell('D1.stagger', [run(2), run(2)], { runs: 3 });
  assert.deepEqual(
    verdicts(failed, undefined).map(({ passed }) => passed),
    [false],
  );
  assert.match(table([failed]), /1 of 3 runs failed/);
  assert.equal(allPassed([cell('D1.stagger', [], { runs: 3 })]), false);
});

test('the first frame is compared with the median of the reference; without one nothing is passed', () => {
  const ours = cell('D1.together', [run(2.6), run(2.6), run(9)]);
  const reference = cell('D1.reference', [run(2), run(2), run(1)], { scenario: REFERENCE, system: 'hlsjs' });
  assert.match(table([reference, ours]), /✔ first frame \/ reference 1\.30 ≤ 1\.35/);
  assert.equal(allPassed([reference, ours]), true);
  assert.equal(allPassed([ours]), false);
});

test('others are shown in the table and not judged', () => {
  const other = cell('D1.stagger', [run(5, 6)], { system: 'p2pml' });
  assert.equal(allPassed([other]), true);
  assert.match(table([other]), /\| p2pml \| 6\.00 \/ 1\.20 \| 5\.00 \/ 5\.00 \| 0\.0 \/ 0 \| 2 of 2 \| {2}\|/);
});

test('runs on a machine that did something else are told of', () => {
  const busy = resultOf(measurement([viewer(1)], { otherCores: 1.4 }));
  assert.match(disturbanceNote([cell('D1.stagger', [run(2), busy])]), /^In 1 of 2 runs the machine was busy/);
  assert.equal(disturbanceNote([cell('D1.stagger', [run(2)])]), '');
});

test('the section of the page is replaced, and what stands around it stays', () => {
  const page = 'before\n\n<!-- classroom: begin -->\n\nold\n\n<!-- classroom: end -->\n\nafter\n';
  const section = { table: '| new |', command: 'npm run bench -- classroom matrix --runs 3', when: new Date(0) };
  const replaced = replaceSection(page, section, 2);
  assert.match(
    replaced,
    /^before\n[^]*1970-01-01, `npm run bench -- classroom matrix --runs 3`, 2 cores[^]*\| new \|[^]*\n\nafter\n$/,
  );
  assert.ok(!replaced.includes('old'));
  assert.equal(replaceSection(replaced, section, 2), replaced);
  assert.throws(() => replaceSection('nothing here', section, 2), /Expected the line "<!-- classroom: begin -->"/);
});
