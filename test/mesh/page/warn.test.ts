import assert from 'node:assert/strict';
import { beforeEach, mock, test, type TestContext } from 'node:test';
import { debugOnce, forgetWarnings, warnOnce } from '../../../mesh/page/warn.ts';

beforeEach(() => forgetWarnings());

function listen(t: TestContext, method: 'warn' | 'debug'): () => string[] {
  const { mock: calls } = mock.method(console, method, () => undefined);
  t.after(() => calls.restore());
  return () => calls.calls.map((call) => String(call.arguments[0]));
}

test('a message is said once, and names the kit', (t) => {
  const said = listen(t, 'warn');
  warnOnce('Mind the gap.');
  warnOnce('Mind the gap.');
  assert.deepEqual(said(), ['p2p-elements: Mind the gap.']);
});

test('messages with the same key count as one', (t) => {
  const said = listen(t, 'warn');
  warnOnce('Tag a is wrong.', 'tag');
  warnOnce('Tag b is wrong.', 'tag');
  warnOnce('Something else.');
  assert.deepEqual(said(), ['p2p-elements: Tag a is wrong.', 'p2p-elements: Something else.']);
});

test('what need not be changed is said at the debug level', (t) => {
  const warned = listen(t, 'warn');
  const said = listen(t, 'debug');
  debugOnce('By the way.');
  debugOnce('By the way.');
  assert.deepEqual(said(), ['p2p-elements: By the way.']);
  assert.deepEqual(warned(), []);
});

test('the console is not flooded by ever new messages', (t) => {
  const said = listen(t, 'warn');
  for (let i = 0; i < 1000; i++) warnOnce(`Mistake ${i}.`);
  assert.equal(said().length, 100);
});
