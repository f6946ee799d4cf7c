// @web/test-runner reporter: failures, page errors and the counts as JSON in the file that P2P_COUNTS names.
import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';

export function countingReporter() {
  return {
    onTestRunFinished({ sessions }) {
      const counts = { passed: 0, failed: 0, skipped: 0 };
      for (const session of sessions) {
        const file = relative(process.cwd(), session.testFile ?? '');
        for (const test of testsOf(session.testResults)) {
          counts[test.skipped ? 'skipped' : test.passed ? 'passed' : 'failed']++;
          if (!test.skipped && !test.passed) console.log(`  ✖ ${test.name} (${file})\n${indent(test.error)}`);
          else if (process.env.P2P_VERBOSE === '1') console.log(`  ${test.skipped ? '-' : '✔'} ${test.name}`);
        }
        // A file that does not load or has no test is a failure of its own.
        const broken = session.errors.length > 0 || session.testResults === undefined;
        if (broken) counts.failed++;
        if (broken) console.log(`  ✖ ${file}\n${session.errors.map(indent).join('\n')}`);
        for (const log of session.logs) console.log(`    ${file}:`, ...log);
        for (const url of session.request404s ?? []) console.log(`    ${file}: 404 ${url}`);
      }
      writeFileSync(process.env.P2P_COUNTS ?? '/dev/null', JSON.stringify(counts));
    },
  };
}

function testsOf(suite, path = '') {
  if (!suite) return [];
  const named = (name) => (path && name ? `${path} › ${name}` : path || name);
  return [
    ...suite.tests.map((test) => ({ ...test, name: named(test.name) })),
    ...suite.suites.flatMap((inner) => testsOf(inner, named(inner.name))),
  ];
}

const indent = (error) => `${error?.message ?? 'unknown error'}\n${error?.stack ?? ''}`.trim().replace(/^/gm, '      ');
