import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { isPeerId } from '../../../protocol/ids.ts';
import { newResume, peerIdOf } from '../../../server/signaling/identity.ts';

test('a peer id is the first half of the hash of tag and secret', () => {
  const secret = Buffer.alloc(16, 7);
  const hash = createHash('sha256')
    .update(Buffer.concat([Buffer.from('p2p-elements peer\0'), secret]))
    .digest('hex');
  assert.equal(peerIdOf(secret.toString('hex')), hash.slice(0, 32));
});

test('each secret is new, and so is the id that belongs to it', () => {
  // more than are drawn at a time
  const secrets = Array.from({ length: 1000 }, newResume);
  assert.equal(new Set(secrets).size, 1000);
  assert.equal(new Set(secrets.map(peerIdOf)).size, 1000);
  for (const secret of secrets) assert.ok(isPeerId(secret) && isPeerId(peerIdOf(secret)));
});

test('what is no secret gets no id, least of all that of the secret before', () => {
  const secret = newResume();
  peerIdOf(secret);
  for (const bad of ['', 'x'.repeat(32), secret.slice(0, 30), `${secret.slice(0, 31)}g`])
    assert.throws(() => peerIdOf(bad), /32 hex digits/, bad);
});
