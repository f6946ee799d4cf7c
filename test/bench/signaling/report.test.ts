import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BARE, OURS, linesOf, tableOf, type Line } from '../../../bench/signaling/report.ts';
import type { Round } from '../../../bench/signaling/round.ts';

const burst = { failed: 0, lastAfter: 1200, overflows: 0 };
const base: Round = {
  rss: 10_000,
  live: 9000,
  join: 100,
  signal: 100,
  signalAnswered: 100,
  drop: 100,
  dropLost: 0,
  burst,
};

const line = (ours: readonly Round[], row: string, bare: readonly Round[] = [base]): Line => {
  const found = linesOf(
    new Map([
      [OURS, ours],
      [BARE, bare],
    ]),
  ).find((one) => one.row === row);
  assert.ok(found, row);
  return found;
};

test('figures are medians of the rounds, and ratios those within the rounds', () => {
  const rss = [{ rss: 9000 }, { rss: 1 }, { rss: 8000 }];
  const memory = line(rss, 'memory of an idle peer', [{ rss: 18_000 }, { rss: 10 }, { rss: 10_000 }]);
  assert.deepEqual(memory.figures, ['8,000 B', '10,000 B']);
  assert.equal(memory.ratio, 0.5);
});

test('a figure that should be there and is not meets no bar', () => {
  for (const [row, round] of [
    ['memory of an idle peer', { rss: NaN }],
    ['a join among all / among 100', { joinGrowth: NaN }],
    ['signals of survivors lost or doubled, in all', { dropLost: NaN }],
    ['connections of a burst that failed', { burst: { ...burst, failed: NaN } }],
  ] as const) {
    assert.equal(line([base, round], row, [base, base]).met, false, row);
  }
});

test('each bar is met at its border and missed behind it', () => {
  const cases: readonly [string, Round, Round][] = [
    ['memory of an idle peer', { rss: 10_000 }, { rss: 10_001 }],
    ['a join', { join: 105 }, { join: 106 }],
    ['a signal, answered', { signalAnswered: 80 }, { signalAnswered: 81 }],
    ['a dropped peer', { drop: 110 }, { drop: 111 }],
    ['a join among all / among 100', { joinGrowth: 1.2 }, { joinGrowth: 1.21 }],
    ['signals of survivors lost or doubled, in all', { dropLost: 0 }, { dropLost: 1 }],
    ['connections of a burst that failed', { burst }, { burst: { ...burst, failed: 1 } }],
  ];
  for (const [row, met, missed] of cases) {
    assert.equal(line([met], row).met, true, row);
    assert.equal(line([missed], row).met, false, row);
  }
});

test('one lost signal, or one failed connection, in any round counts', () => {
  assert.equal(
    line([{ dropLost: 0 }, { dropLost: 1 }, { dropLost: 0 }], 'signals of survivors lost or doubled, in all').met,
    false,
  );
  const failed = { burst: { ...burst, failed: 1 } };
  assert.equal(line([{ burst }, failed, { burst }], 'connections of a burst that failed').met, false);
});

test('what was not measured is no row, and without the relay there is no verdict on ratios', () => {
  assert.deepEqual(
    linesOf(new Map([[OURS, [{ rss: 1 }]]])).map(({ row, met }) => [row, met]),
    [['memory of an idle peer', undefined]],
  );
});

test('the table is Markdown with a column for each system and a verdict for each bar', () => {
  const table = tableOf(
    new Map([
      [OURS, [{ ...base, join: 200 }]],
      [BARE, [base]],
      ['other', [{ join: 7 }]],
    ]),
  );
  assert.match(table, /^\| +\| p2p-elements +\| socket\.io +\| other +\| ratio \| bar +\|\n\| -+ \|/);
  assert.match(table, /\| a join +\| 200 µs +\| 100 µs +\| 7 µs +\| 0\.50 +\| ≥ 0\.95 × as fast: \*\*missed\*\*/);
  assert.match(table, /\| memory of an idle peer .*≤ 1\.00: met/);
});
