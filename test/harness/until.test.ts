import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from './until.ts';

test('until gives the first truthy value, and errors count as "not yet"', async () => {
  let looks = 0;
  const look = (): string | undefined => {
    looks++;
    if (looks === 1) throw new Error('not there');
    return looks === 3 ? 'here' : undefined;
  };
  assert.equal(await until('it', look, { interval: 1 }), 'here');
});

test('until says what it waited for and what it saw last', async () => {
  await assert.rejects(
    until('two peers', () => false, { timeout: 20, interval: 5 }),
    /in vain for: two peers. Last seen: false/,
  );
});
