/** What every attack is measured by: peers that behave still join, and their signals still arrive. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JoinReply } from '../../../../protocol/signaling.ts';
import { createSignaling, type Signaling, type SignalingOptions } from '../../../../server/index.ts';
import { connect, joinSwarms, testAddress, until, type Client } from '../../support.ts';
import type { RefusalReason } from '../../../../server/index.ts';

/** Where attacks come from, and where healthy peers are. */
export const ATTACKER = '203.0.113.66';
export const HOME = '198.51.100.1';

export const offer = { kind: 'offer', connection: 1, sdp: 'v=0' };

export interface Target {
  readonly url: string;
  readonly signaling: Signaling;
  /** A peer that was there before the attack. */
  readonly friend: Client;
  /** How many were refused for this reason. */
  readonly refused: (reason: RefusalReason) => number;
  /** The friend is still there; a newcomer joins, offers it a connection, and is answered. */
  readonly assertHealthy: () => Promise<void>;
}

export async function target(
  t: TestContext,
  admission: NonNullable<SignalingOptions['admission']> = {},
  options: Partial<SignalingOptions> = {},
): Promise<Target> {
  const server = createServer((_request, response) => response.end('the app')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const signaling = createSignaling({ server, addressOf: testAddress, admission, ...options });
  t.after(async () => {
    await signaling.close();
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const origin = admission.origins === undefined || admission.origins === '*' ? {} : { origin: admission.origins[0] };
  const from = { extraHeaders: { 'x-test-address': HOME, ...origin } };
  const healthy = await healthyPeers(
    () => connect(t, url, HOME, from),
    (client) => joinSwarms(client, ['healthy']),
  );
  return { url, signaling, refused: (reason) => signaling.counters.refusals[reason], ...healthy };
}

/** @param join one swarm, in which nobody else is */
export async function healthyPeers(
  come: () => Promise<Client>,
  join: (client: Client) => Promise<JoinReply>,
): Promise<Pick<Target, 'friend' | 'assertHealthy'>> {
  const friend = await come();
  const { peer } = await join(friend);
  const assertHealthy = async (): Promise<void> => {
    const newcomer = await come();
    const reply = await join(newcomer);
    assert.deepEqual(reply.swarms[0]?.members, [peer], 'it is told of its friend, and of nobody else');
    const before = friend.signals.length;
    assert.deepEqual(await newcomer.ask('signal', { to: peer, signal: offer }), { ok: true });
    await until('the offer arrives', () => friend.signals.length > before);
    const answer = { kind: 'answer', connection: 1, sdp: 'v=0' };
    assert.deepEqual(await friend.ask('signal', { to: reply.peer, signal: answer }), { ok: true });
    await until('the answer arrives', () => newcomer.signals.length === 1);
    newcomer.socket.disconnect();
  };
  return { friend, assertHealthy };
}
