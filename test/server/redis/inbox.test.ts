import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PeerId } from '../../../protocol/ids.ts';
import { nobodyText, parseInbox, signalText } from '../../../server/redis/inbox.ts';
import type { SiteKey } from '../../../server/site.ts';

const [a, b] = ['a'.repeat(32) as PeerId, 'b'.repeat(32) as PeerId];

test('a signal comes out as it went in, whatever its texts hold', () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(9), (sdp, hops) => {
      const signal = JSON.stringify({ kind: 'offer', connection: 3, sdp: `${sdp}\r\n\n` });
      const message = { to: a, from: b, site: '2001:db8::/56' as SiteKey, signal };
      assert.deepEqual(parseInbox(signalText('node', hops, message)), { kind: 'signal', node: 'node', hops, message });
    }),
  );
});

test('what else servers say is read', () => {
  assert.deepEqual(parseInbox(`gone\n${a}\n12`), { kind: 'gone', peer: a, turn: 12 });
  assert.deepEqual(parseInbox(nobodyText(b)), { kind: 'nobody', peer: b });
});

test('anything else is no message', () => {
  const wrong = [
    '',
    'gone',
    `gone\n${a}`,
    `gone\nx\n1`,
    `gone\n${a}\n-1`,
    'nobody\nx',
    `signal\n${a}\n${b}\nn\n0\nsite\n7`,
    'hello\n1',
  ];
  for (const text of wrong) assert.equal(parseInbox(text), undefined, text);
  fc.assert(fc.property(fc.string(), (text) => parseInbox(text) === undefined));
});
