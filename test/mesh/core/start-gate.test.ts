import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  ANSWERED_WAIT_MS,
  CHANNEL_WAIT_MS,
  COMPANY_WAIT_MS,
  FIRST_REQUEST_WAIT_MS,
  INVENTORY_WAIT_MS,
  UNANSWERED_MEMBERS,
  UNANSWERED_WAIT_MS,
} from '../../../mesh/core/limits.ts';
import { waitUntil, type SwarmView } from '../../../mesh/core/start-gate.ts';

const joined = (more: Partial<Extract<SwarmView, { kind: 'joined' }>>): SwarmView => ({
  kind: 'joined',
  at: 1000,
  dialing: 0,
  answeredAt: Infinity,
  dialingOutside: 0,
  inventories: 0,
  awaited: 0,
  awaitedSince: 0,
  ...more,
});

for (const [what, view, requestedAt, until] of [
  ['without a mesh nobody is waited for', { kind: 'off' }, 500, 500],
  ['while joining, the reply is waited for', { kind: 'joining' }, 500, 500 + FIRST_REQUEST_WAIT_MS],
  ['when the reply names nobody, nobody is waited for', joined({}), 500, 500],
  ['named members are waited for from the reply on', joined({ dialing: 2 }), 900, 1000 + CHANNEL_WAIT_MS],
  [
    'named members are waited for no longer than the request may wait',
    joined({ dialing: 2 }),
    500,
    500 + FIRST_REQUEST_WAIT_MS,
  ],
  ['a request long after the reply does not wait for channels', joined({ dialing: 2 }), 5000, 5000],
  [
    'a neighbour that has yet to tell is waited for from the opening of its channel on',
    joined({ awaited: 1, awaitedSince: 1200 }),
    1100,
    1200 + INVENTORY_WAIT_MS,
  ],
  [
    'one that opened its channel late is waited for no longer than the request may wait',
    joined({ awaited: 1, awaitedSince: 1800 }),
    900,
    900 + FIRST_REQUEST_WAIT_MS,
  ],
  ['one that has answered and told is waited for no more', joined({ inventories: 1, answeredAt: 1300 }), 1400, 1400],
  [
    'a channel that opened late is waited for longer if a member of the site has answered',
    joined({ awaited: 1, awaitedSince: 1800, answeredAt: 1300 }),
    900,
    1800 + ANSWERED_WAIT_MS,
  ],
  ['… within bounds', joined({ awaited: 1, awaitedSince: 60_000, answeredAt: 1300 }), 900, 900 + COMPANY_WAIT_MS],
  [
    'a member that has answered is waited for, however late',
    joined({ dialing: 2, answeredAt: 1900 }),
    900,
    1900 + ANSWERED_WAIT_MS,
  ],
  [
    'if none of many has answered, all are late',
    joined({ dialing: UNANSWERED_MEMBERS }),
    900,
    1000 + UNANSWERED_WAIT_MS,
  ],
  ['… until one has answered', joined({ dialing: UNANSWERED_MEMBERS, answeredAt: 1100 }), 900, 1000 + CHANNEL_WAIT_MS],
  ['one that never tells is not waited for again', joined({ awaited: 1, awaitedSince: 1200 }), 9000, 9000],
  ['neighbours that told are enough', joined({ inventories: 2 }), 900, 900],
  [
    'one neighbour that told may be as new as we, while others have yet to tell',
    joined({ inventories: 1, awaited: 3, awaitedSince: 950 }),
    900,
    950 + INVENTORY_WAIT_MS,
  ],
  [
    'one neighbour that told may be as new as we, while others have no channel yet',
    joined({ inventories: 1, dialing: 2 }),
    900,
    1000 + CHANNEL_WAIT_MS,
  ],
  ['of other sites one is enough', joined({ inventories: 1, dialingOutside: 3 }), 900, 900],
] as [string, SwarmView, number, number][]) {
  test(what, () => {
    assert.equal(Math.max(requestedAt, waitUntil(view, requestedAt)), until);
  });
}

test('no view holds a request up for more than a second, or somewhat longer for company that is on its way', () => {
  const time = fc.nat(100_000);
  const few = fc.nat(3);
  const view = fc.oneof(
    fc.constantFrom<SwarmView>({ kind: 'off' }, { kind: 'joining' }),
    fc.record({
      kind: fc.constant('joined' as const),
      at: time,
      dialing: few,
      answeredAt: fc.oneof(time, fc.constant(Infinity)),
      dialingOutside: few,
      inventories: few,
      awaited: few,
      awaitedSince: time,
    }),
  );
  fc.assert(
    fc.property(view, time, (seen, requestedAt) => {
      const hasCompany = seen.kind === 'joined' && (seen.answeredAt < Infinity || seen.dialing >= UNANSWERED_MEMBERS);
      const most = hasCompany ? COMPANY_WAIT_MS : FIRST_REQUEST_WAIT_MS;
      assert.ok(waitUntil(seen, requestedAt) <= requestedAt + most);
    }),
  );
});
