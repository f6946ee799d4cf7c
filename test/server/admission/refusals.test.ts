import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { pino } from 'pino';
import { LOG_EVERY_MS } from '../../../server/admission/limits.ts';
import { noRefusals, Refusals, REFUSAL_REASONS } from '../../../server/admission/refusals.ts';

function setup(logsAddresses: boolean, level = 'info') {
  const lines: Record<string, unknown>[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.push(JSON.parse(chunk.toString()) as Record<string, unknown>);
      done();
    },
  });
  let at = 0;
  const counts = noRefusals();
  const refusals = new Refusals({ counts, log: pino({ level }, stream), logsAddresses, now: () => at });
  return { refusals, counts, lines, pass: (milliseconds: number) => (at += milliseconds) };
}

test('each reason is counted by itself, from zero', () => {
  const { refusals, counts } = setup(false);
  assert.deepEqual(new Set(Object.values(counts)), new Set([0]));
  refusals.count('origin');
  refusals.count('origin');
  refusals.countCode('bad-message');
  for (const code of ['full', 'unauthorized', 'too-fast'] as const) refusals.countCode(code); // counted by their reasons
  assert.deepEqual([counts.origin, counts['bad-message']], [2, 1]);
  assert.equal(
    Object.values(counts).reduce((a, b) => a + b),
    3,
  );
  assert.equal(Object.keys(counts).length, REFUSAL_REASONS.length);
});

test('a flood is a line now and then, with how many there were; no addresses unless asked', () => {
  const { refusals, lines, pass } = setup(false);
  for (let i = 0; i < 1000; i++) refusals.count('packets', { address: '203.0.113.1' });
  refusals.count('origin');
  pass(LOG_EVERY_MS);
  refusals.count('packets', { address: '203.0.113.1', detail: 'x' });
  assert.deepEqual(
    lines.map(({ reason, refused, detail, msg }) => [reason, refused, detail, msg]),
    [
      ['packets', 1, undefined, 'refused'],
      ['origin', 1, undefined, 'refused'],
      ['packets', 1000, 'x', 'refused'],
    ],
  );
  assert.ok(!JSON.stringify(lines).includes('203.0.113'));
});

test('an operator who asked is told the address', () => {
  const { refusals, lines } = setup(true);
  refusals.count('packets', { address: '203.0.113.1' });
  assert.equal(lines[0]?.['address'], '203.0.113.1');
});

test('a log that is quieter costs nothing, and still all is counted', () => {
  const { refusals, lines, counts } = setup(true, 'warn');
  refusals.count('packets');
  assert.deepEqual([lines.length, counts.packets], [0, 1]);
});
