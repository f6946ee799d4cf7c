/** Small versions of what `npm run bench -- simulate` runs at full size. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Figures } from '../../bench/simulate/report.ts';
import type { RunResult } from '../../bench/simulate/run.ts';
import type { Muted, ScenarioOptions } from '../../bench/simulate/scenario.ts';
import { scaleDown } from '../../bench/simulate/scaled/scale-down.ts';

scaleDown();
const { barsOf, figuresOf } = await import('../../bench/simulate/report.ts');
const { Run } = await import('../../bench/simulate/run.ts');
const { scenarioOf } = await import('../../bench/simulate/scenario.ts');

/** Copies of a segment over the line of a site, on average. */
const CLASSROOM_BAR = 1.1;
const ASSEMBLY_BAR = 3;
const SITES_BAR = 1.3;

/** All that says who crosses: on the channels, and before they are open through the server. */
const ANNOUNCEMENTS: readonly Muted[] = ['fetching', 'queued', 'claim'];

const isLong = process.env['P2P_LONG'] === '1';

const SMALL: ScenarioOptions = { seconds: 16, blocks: 8 };
/** Of 200 so few ask before the first has crossed that the bar is met in silence, too. */
const HALL: ScenarioOptions = { seconds: 8, viewers: 400 };

const run = (...scenario: Parameters<typeof scenarioOf>): Promise<RunResult> => Run.of(scenarioOf(...scenario), true);

async function figures(...scenario: Parameters<typeof scenarioOf>): Promise<Figures> {
  const chosen = scenarioOf(...scenario);
  return figuresOf({ scenario: chosen, mesh: await Run.of(chosen, true), alone: await Run.of(chosen, false) });
}

const meanCopies = ({ segments }: RunResult): number =>
  segments.reduce((sum, { copiesMean }) => sum + copiesMean, 0) / segments.length;

test('the same seed gives the same output, byte for byte, and another seed another', async () => {
  const options = { ...SMALL, seconds: 8 };
  const [one, again, other] = [
    JSON.stringify(await run('classroom-6', 'leave', { ...options, seed: 7 })),
    JSON.stringify(await run('classroom-6', 'leave', { ...options, seed: 7 })),
    JSON.stringify(await run('classroom-6', 'leave', { ...options, seed: 8 })),
  ];
  assert.equal(one, again);
  assert.notEqual(one, other);
});

test('without P2P each viewer takes its own copy', async () => {
  const alone = await Run.of(scenarioOf('classroom-6', 'together', { ...SMALL, seconds: 4, viewers: 3 }), false);
  assert.deepEqual(
    alone.segments.map(({ originCopies }) => originCopies),
    [3],
  );
  assert.equal(alone.messages, 0);
});

test(`thirty viewers behind one line take at most ${CLASSROOM_BAR} copies over it, and none stalls`, async () => {
  const { copies, stalled, stalledMore } = await figures('classroom-30', 'together', SMALL);
  assert.ok(copies <= CLASSROOM_BAR, `${copies} copies`);
  assert.deepEqual({ stalled, stalledMore }, { stalled: 0, stalledMore: 0 });
});

test('so they do for a minute, whatever the seed', async () => {
  for (const seed of isLong ? [1, 2, 3] : [1]) {
    const copies = meanCopies(await run('classroom-30', 'together', { seconds: 60, seed }));
    assert.ok(copies <= CLASSROOM_BAR, `${copies} copies with seed ${seed}`);
  }
});

test('thirty viewers who do not hear who crosses take more', async () => {
  const copies = meanCopies(await run('classroom-30', 'together', { ...SMALL, muted: ANNOUNCEMENTS }));
  assert.ok(copies > CLASSROOM_BAR, `${copies} copies`);
});

test(`more viewers than can all be neighbours take at most ${ASSEMBLY_BAR} copies`, async () => {
  const copies = meanCopies(await run('assembly-1000', 'together', HALL));
  assert.ok(copies <= ASSEMBLY_BAR, `${copies} copies`);
});

// that the bar above is one: 25 s of a core
test(
  'more viewers than can all be neighbours take more when they do not hear who crosses',
  { skip: !isLong && 'in npm run test:long' },
  async () => {
    const copies = meanCopies(await run('assembly-1000', 'together', { ...HALL, muted: ANNOUNCEMENTS }));
    assert.ok(copies > ASSEMBLY_BAR, `${copies} copies`);
  },
);

test(`sites that take from each other take at most ${SITES_BAR} copies each, and nobody stalls`, async () => {
  const { copies, stalledMore, laterFrames } = await figures('sites-200x50', 'together', { seconds: 12, viewers: 100 });
  assert.ok(copies <= SITES_BAR, `${copies} copies`);
  assert.deepEqual({ stalledMore, laterFrames }, { stalledMore: 0, laterFrames: 0 });
});

test('a bar that is not met is told', async () => {
  const scenario = scenarioOf('classroom-30', 'together', { ...SMALL, seconds: 4, viewers: 3 });
  const alone = await Run.of(scenario, false);
  const bars = barsOf({ scenario, mesh: alone, alone }, undefined);
  assert.deepEqual(
    bars.map(({ name, isMet }) => [name, isMet]),
    [
      ['viewers who stall more than without P2P', true],
      ['copies', false],
    ],
  );
});
