import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JoinReply } from '../../../protocol/signaling.ts';
import { replyJSON } from '../../../server/signaling/reply-json.ts';

const id = fc.stringMatching(/^[0-9a-f]{32}$/);
const count = fc.nat();

const reply = fc.record(
  {
    ok: fc.constant(true),
    peer: id,
    resume: id,
    iceServers: fc.array(fc.record({ urls: fc.array(fc.string()), username: fc.string(), credential: fc.string() })),
    swarms: fc.array(
      fc.record({
        swarm: fc.string({ minLength: 1 }),
        size: count,
        siteSize: count,
        sites: count,
        keeper: id,
        next: fc.array(id, { maxLength: 2 }),
        members: fc.array(id),
        others: fc.array(id),
      }),
      { maxLength: 4 },
    ),
    iceTTL: count,
    off: fc.constantFrom('holdout', 'switched-off'),
  },
  { requiredKeys: ['ok', 'peer', 'resume', 'iceServers', 'swarms'] },
);

test('it says what JSON.stringify() says', () => {
  fc.assert(
    fc.property(reply, (any) => {
      const said = any as unknown as JoinReply;
      assert.deepEqual(JSON.parse(replyJSON(said)), JSON.parse(JSON.stringify(said)));
    }),
  );
});
