import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { isPeerId } from '../../../protocol/ids.ts';
import { newIdentity, peerIdOf } from '../../../server/signaling/identity.ts';

test('a peer id is the first half of the hash of tag and secret', () => {
  const secret = Buffer.alloc(16, 7);
  const hash = createHash('sha256')
    .update(Buffer.concat([Buffer.from('p2p-elements peer\0'), secret]))
    .digest('hex');
  assert.equal(peerIdOf(secret.toString('hex')), hash.slice(0, 32));
});

test('each secret is new, and so is the id that belongs to it', () => {
  // more than are drawn at a time
  const identities = Array.from({ length: 1000 }, newIdentity);
  assert.equal(new Set(identities.map(({ resume }) => resume)).size, 1000);
  assert.equal(new Set(identities.map(({ peer }) => peer)).size, 1000);
  for (const { peer, resume } of identities) {
    assert.ok(isPeerId(resume));
    assert.equal(peer, peerIdOf(resume));
  }
});

test('what is no secret gets no id, least of all that of the secret before', () => {
  const { resume: secret } = newIdentity();
  peerIdOf(secret);
  for (const bad of ['', 'x'.repeat(32), secret.slice(0, 30), `${secret.slice(0, 31)}g`])
    assert.throws(() => peerIdOf(bad), /32 hex digits/, bad);
});
