/**
 * The mesh without browsers: the product's engine for 6 to 10,000 peers on a virtual clock, in networks with simulated lines. What is
 * printed on stdout depends on nothing but the command; how long it took goes to stderr.
 *
 * npm run bench -- simulate [NETWORK[/BEHAVIOUR] …] [--seed N] [--viewers N] [--seconds N] [--blocks N] [--mute TYPES] [--full-size] [--segments] [--json]
 *
 * - NETWORK: classroom-6, classroom-30, assembly-1000, sites-200x50, households-10000; without one both classrooms. `all`: everything
 * - BEHAVIOUR: together, staggered, seek, live, leave, silent, slow, liars; without one all of them
 * - --blocks: blocks in a segment of 4 s, 16 unless told otherwise; with fewer all lines are slower too
 * - --mute: these of fetching,queued,want,claim are lost on the way, which the bars must notice
 * - --full-size: blocks of 64 KiB, as in the product, instead of 4 KiB on lines that are 16 times slower
 * - --segments: figures of each segment too
 *
 * Each scenario runs without P2P too: of large networks the sites of 500 viewers, for without it sites have nothing to do with each other.
 * Ends with 1 when a bar is not met.
 */
import { parseArgs } from 'node:util';
import type { ScenarioOptions } from './simulate/scenario.ts';
import { scaleDown } from './simulate/scaled/scale-down.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string' },
    viewers: { type: 'string' },
    seconds: { type: 'string' },
    blocks: { type: 'string' },
    mute: { type: 'string' },
    'full-size': { type: 'boolean', default: false },
    segments: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

if (!values['full-size']) scaleDown();
const { main } = await import('./simulate/main.ts');
const { MUTABLE } = await import('./simulate/scenario.ts');

const numbers = { seed: values.seed, viewers: values.viewers, seconds: values.seconds, blocks: values.blocks };
const given = Object.entries(numbers).flatMap(([name, text]) => (text === undefined ? [] : [[name, Number(text)]]));
const isMet = await main({
  scenarios: positionals.length > 0 ? positionals : ['classroom-6', 'classroom-30'],
  options: {
    ...(Object.fromEntries(given) as ScenarioOptions),
    muted: MUTABLE.filter((type) => values.mute?.split(',').includes(type)),
  },
  segments: values.segments,
  json: values.json,
});
process.exitCode = isMet ? 0 : 1;
