/** The one parser of what our scripts answer: a server of another version may share the Redis. */
import * as v from 'valibot';
import { isPeerId, type PeerId, type SwarmId } from '../../protocol/ids.ts';
import type { SwarmState, SwarmView } from '../../protocol/signaling.ts';
import { isSwarmId } from '../../protocol/swarm.ts';
import type { Claim } from '../signaling/directory.ts';

const peer = v.custom<PeerId>(isPeerId);
const peers = v.array(peer);
const swarms = v.array(v.custom<SwarmId>(isSwarmId));
const count = v.number();

const enterReply = v.union([v.tuple([v.literal(0)]), v.tuple([v.literal(1), count, swarms])]);
const state = [count, count, count, v.tupleWithRest([peer], peer)] as const;
const stateReply = v.tuple(state);
const joinReply = v.tuple([...state, peers, peers, v.array(v.string())]);
const claimReply = v.nullable(v.tuple([peer, count, count, count]));

/** `turn` counts how often the peer changed its server. */
export function parseEnter(untrusted: unknown): { readonly turn: number; readonly swarms: SwarmId[] } | 'superseded' {
  const [ok, ...rest] = v.parse(enterReply, untrusted);
  if (ok === 0) return 'superseded';
  const [turn, before] = rest;
  return { turn: turn ?? 0, swarms: before ?? [] };
}

/** Undefined: nobody of the site is in the swarm. */
export function parseState(swarm: SwarmId, untrusted: unknown): SwarmState | undefined {
  const parsed = v.safeParse(stateReply, untrusted);
  if (!parsed.success) return undefined;
  const [size, siteSize, sites, [keeper, ...next]] = parsed.output;
  return { swarm, size, siteSize, sites, keeper, next };
}

/** Null: another server has the peer. `nodes` are the servers of members and others, in this order. */
export function parseJoin(
  swarm: SwarmId,
  untrusted: unknown,
): { readonly view: SwarmView; readonly nodes: ReadonlyMap<PeerId, string> } | null {
  const parsed = v.parse(v.nullable(joinReply), untrusted);
  if (parsed === null) return null;
  const [size, siteSize, sites, [keeper, ...next], members, others, nodes] = parsed;
  return {
    view: { swarm, size, siteSize, sites, keeper, next, members, others },
    nodes: new Map([...members, ...others].map((one, index) => [one, nodes[index] ?? ''])),
  };
}

export function parseClaim(untrusted: unknown): Claim | undefined {
  const parsed = v.parse(claimReply, untrusted);
  if (parsed === null) return undefined;
  const [crosser, since, companyFor, told] = parsed;
  return { crosser, since, companyFor: companyFor < 0 ? null : companyFor, told };
}

/** `known`: the others had not given us up. */
export function parseBeat(untrusted: unknown): { readonly known: boolean; readonly dead: string[] } {
  const [known, ...dead] = v.parse(v.tupleWithRest([count], v.string()), untrusted);
  return { known: known === 1, dead };
}
