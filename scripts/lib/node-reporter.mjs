// node:test reporter: a line for each test that failed or was skipped, and the counts as JSON in the file that P2P_COUNTS names. The file
// holds what is known so far at any moment, with the tests under way: of a run that is ended from outside, it says where it stood.
import { renameSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';

/** Milliseconds from one event to the next after which the process is ended: a test hangs, or one that is over left something open. */
const SILENCE_MS = (process.env.P2P_LONG ? 40 : 4) * 60_000;

/** Made before a test can mock the clock. */
let giveUp = () => undefined;
const watchdog = setTimeout(() => giveUp(), SILENCE_MS).unref();

const NOT_ASKED_FOR = 'test name does not match pattern';

export default async function* report(events) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const underWay = new Map();
  const verbose = process.env.P2P_VERBOSE === '1';
  giveUp = () => {
    const tests = [...underWay.values()].map((test) => `\n      under way: ${placed(test)}`);
    const stuck = tests.length > 0 ? tests.join('') : ', for all tests are over: one left something open';
    console.log(`  ✖ nothing happened for ${SILENCE_MS / 60_000} minutes${stuck}`);
    counts.failed++;
    write(counts, []);
    process.exit(1);
  };
  for await (const { type, data } of events) {
    watchdog.refresh();
    if (type === 'test:stdout' || type === 'test:stderr') yield data.message;
    if (type === 'test:diagnostic' && verbose && data.file !== undefined) yield `    ${data.message}\n`;
    if (type === 'test:dequeue' && !isWrapper(data)) underWay.set(keyOf(data), data);
    else if (type === 'test:complete') underWay.delete(keyOf(data));
    const outcome = outcomeOf(type, data);
    if (outcome !== undefined) {
      counts[outcome]++;
      if (outcome === 'failed') yield failure(data, cutOff(data, underWay));
      else if (outcome === 'skipped') yield `  - skipped: ${data.name}\n`;
      else if (verbose) yield `  ✔ ${data.name} (${(data.details.duration_ms / 1000).toFixed(1)} s)\n`;
    }
    write(counts, [...underWay.values()]);
  }
}

/** Renamed, so that who is killed in the middle of writing leaves what it wrote before. */
function write(counts, underWay) {
  const file = process.env.P2P_COUNTS;
  writeFileSync(`${file}.new`, JSON.stringify({ ...counts, underWay: underWay.map(placed) }));
  renameSync(`${file}.new`, file);
}

const keyOf = ({ name, file, nesting }) => JSON.stringify([file, nesting, name]);
const placed = ({ name, file }) => (file ? `${name} (${relative(process.cwd(), file)})` : name);
const isWrapper = ({ name, file, details }) => details?.type === 'suite' || (file !== undefined && file.endsWith(name));

/** Suites, files and tests that failed only because of what is in them are not counted: what is in them was. */
function outcomeOf(type, data) {
  if (type !== 'test:pass' && type !== 'test:fail') return undefined;
  const { details, skip, todo } = data;
  if (type === 'test:fail' && !(todo !== undefined && todo !== false))
    return details.error?.failureType === 'subtestsFailed' ? undefined : 'failed';
  if (isWrapper(data) || skip === NOT_ASKED_FOR) return undefined;
  return (skip !== undefined && skip !== false) || (todo !== undefined && todo !== false) ? 'skipped' : 'passed';
}

/** A file whose time was up does not say in which tests: these, which are no longer under way. */
function cutOff(data, underWay) {
  if (!isWrapper(data) || data.details.error?.failureType !== 'testTimeoutFailure') return [];
  const tests = [...underWay.values()].filter(({ file }) => file === data.file);
  tests.forEach((test) => underWay.delete(keyOf(test)));
  return tests;
}

function failure(data, tests) {
  const error = data.details.error?.cause ?? data.details.error;
  const text = error instanceof Error || typeof error?.stack === 'string' ? error.stack : String(error);
  const lines = [text.trimEnd(), ...tests.map(({ name }) => `under way: ${name}`)];
  return `  ✖ ${placed(data)}\n${lines.join('\n').replace(/^/gm, '      ')}\n`;
}
