// node:test reporter: a line for each test that failed or was skipped, and the counts as JSON in the file that P2P_COUNTS names.
import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';

const NOT_ASKED_FOR = 'test name does not match pattern';

export default async function* report(events) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const verbose = process.env.P2P_VERBOSE === '1';
  for await (const { type, data } of events) {
    if (type === 'test:stdout' || type === 'test:stderr') yield data.message;
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const outcome = outcomeOf(type, data);
    if (outcome === undefined) continue;
    counts[outcome]++;
    if (outcome === 'failed') yield failure(data);
    else if (outcome === 'skipped') yield `  - skipped: ${data.name}\n`;
    else if (verbose) yield `  ✔ ${data.name} (${(data.details.duration_ms / 1000).toFixed(1)} s)\n`;
  }
  writeFileSync(process.env.P2P_COUNTS, JSON.stringify(counts));
}

/** Suites, files and tests that failed only because of what is in them are not counted: what is in them was. */
function outcomeOf(type, data) {
  const { details, name, file, skip, todo } = data;
  const wrapper = details.type === 'suite' || (file !== undefined && file.endsWith(name));
  if (type === 'test:fail' && !(todo !== undefined && todo !== false))
    return details.error?.failureType === 'subtestsFailed' ? undefined : 'failed';
  if (wrapper || skip === NOT_ASKED_FOR) return undefined;
  return (skip !== undefined && skip !== false) || (todo !== undefined && todo !== false) ? 'skipped' : 'passed';
}

function failure({ name, file, details }) {
  const error = details.error?.cause ?? details.error;
  const text = error instanceof Error || typeof error?.stack === 'string' ? error.stack : String(error);
  const place = file ? ` (${relative(process.cwd(), file)})` : '';
  return `  ✖ ${name}${place}\n${text.trimEnd().replace(/^/gm, '      ')}\n`;
}
