import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { isDigest, isPeerId } from '../../protocol/ids.ts';
import { isSwarmId } from '../../protocol/swarm.ts';
import { MAX_SWARM_ID_CHARACTERS } from '../../protocol/limits.ts';

test('a digest is 64 hex digits and a peer id 32', () => {
  assert.deepEqual(
    [isDigest('a'.repeat(64)), isDigest('a'.repeat(63)), isDigest('A'.repeat(64))],
    [true, false, false],
  );
  assert.deepEqual(
    [isPeerId('0'.repeat(32)), isPeerId('0'.repeat(33)), isPeerId('g'.repeat(32))],
    [true, false, false],
  );
});

test('a swarm id is a text of 1 to 512 characters, none of them a control character', () => {
  for (const id of ['a', 'https://school.test/ü', 'x'.repeat(MAX_SWARM_ID_CHARACTERS)])
    assert.equal(isSwarmId(id), true);
  for (const id of ['', 'x'.repeat(MAX_SWARM_ID_CHARACTERS + 1), 'a\nb', 'a\0', '\u007f', 5, null, {}])
    assert.equal(isSwarmId(id), false);
});

test('whatever is asked, the answer is yes or no', () => {
  fc.assert(
    fc.property(fc.anything({ withNullPrototype: true }), (value) => {
      for (const is of [isDigest, isPeerId, isSwarmId]) assert.equal(typeof is(value), 'boolean');
    }),
  );
});
