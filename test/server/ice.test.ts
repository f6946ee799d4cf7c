import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { P2PError } from '../../protocol/error.ts';
import { expiringIce, fixedIce, parseTurnSecret, turnCredential } from '../../server/ice.ts';
import { MIN_TURN_SECRET_CHARACTERS } from '../../server/limits.ts';

const STUN = { urls: ['stun:stun.example'] };
const URLS = ['turn:turn.example', 'turns:turn.example'];

test('a credential is Base64 of HMAC-SHA-1 over expiry and name', () => {
  // the same by: printf 1700000000:viewer | openssl dgst -sha1 -hmac … -binary | base64
  const { username, credential } = turnCredential('north-campus-secret', 1_700_000_000, 'viewer');
  assert.equal(username, '1700000000:viewer');
  const told = execFileSync('openssl', ['dgst', '-sha1', '-hmac', 'north-campus-secret', '-binary'], {
    input: username,
  });
  assert.equal(credential, told.toString('base64'));
});

test('each client has credentials of its own that last from now on; STUN servers need none', () => {
  let now = 1_700_000_000_900;
  let secret = 'first secret of ours';
  const ice = expiringIce([STUN], { urls: URLS, secret: () => secret, ttl: 600, now: () => now });
  const first = ice('a');
  assert.deepEqual(first, {
    iceServers: [STUN, { urls: URLS, ...turnCredential(secret, 1_700_000_600, 'a') }],
    iceTTL: 600,
  });
  assert.notDeepEqual(ice('b').iceServers, first.iceServers);
  now += 5000;
  assert.equal(ice('a').iceServers[1]?.username, '1700000605:a');
  secret = 'second secret of ours';
  assert.deepEqual(ice('a').iceServers[1], { urls: URLS, ...turnCredential(secret, 1_700_000_605, 'a') });
});

test('without a secret all are told the same, and nothing expires', () => {
  assert.deepEqual(fixedIce([STUN])('a'), { iceServers: [STUN] });
});

test('a secret is one line that can’t be guessed', () => {
  assert.equal(
    parseTurnSecret(`  ${'s'.repeat(MIN_TURN_SECRET_CHARACTERS)}\r\n`),
    's'.repeat(MIN_TURN_SECRET_CHARACTERS),
  );
  for (const text of ['', '\n', 'short', 'a secret of ours\na second secret of ours'])
    assert.throws(
      () => parseTurnSecret(text),
      (error) =>
        error instanceof P2PError && error.code === 'bad-flag' && (text.trim() === '' || !error.message.includes(text)),
      text,
    );
});
