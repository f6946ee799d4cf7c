/** Peers that take part and do harm, made of raw channels. */
import { type PeerMessage } from '../../protocol/peer-message.ts';
import type { Digest, SwarmKey } from '../../protocol/ids.ts';
import { swarmKey } from '../../protocol/swarm-key.ts';
import { RawPeer } from '../../test/mesh/world/raw-peer.ts';
import { WEB_ORIGIN, type Surroundings } from '../../test/mesh/world/surroundings.ts';
import type { Content, Segment } from './content.ts';
import type { Muted } from './scenario.ts';
import { SWARM } from './viewer.ts';
import { encodePeerMessage } from '../../test/protocol/fragments.ts';

/** Claims to hold the whole stream, and answers nothing. */
export function silentPeer(world: Surroundings, content: Content, name: string, site: string): void {
  new RawPeer(world, name, {
    swarms: [WEB_ORIGIN, SWARM],
    site,
    claims: content.segments.map(({ name }) => name.digest),
  });
}

/** A liar says so again every so often, ms. */
const LIE_AGAIN_MS = 2000;

/** Announces to fetch everything, claims it at the server, and never delivers. */
export async function lyingPeer(world: Surroundings, content: Content, name: string, site: string): Promise<void> {
  const peer = new RawPeer(world, name, { swarms: [WEB_ORIGIN, SWARM], site });
  const key = await swarmKey(SWARM, content.sha256);
  const told = new Set<unknown>();
  let sinceAll = 0;
  const lie = (): void => {
    sinceAll += LIE_AGAIN_MS / 10;
    if (sinceAll >= LIE_AGAIN_MS) told.clear();
    if (told.size === 0) sinceAll = 0;
    for (const line of peer.lines) {
      if (told.has(line)) continue;
      told.add(line);
      for (const segment of content.segments) line.send(fetching(key, segment));
    }
    world.clock.after(LIE_AGAIN_MS / 10, lie);
  };
  lie();
  await world.clock.wait(LIE_AGAIN_MS / 4);
  for (const { name } of content.segments.slice(0, 8))
    await peer.signaling.claim({ swarm: SWARM, digest: name.digest });
}

const fetching = (swarm: SwarmKey, { name }: Segment): PeerMessage => ({
  type: 'fetching',
  swarm,
  digest: name.digest,
  hops: 0,
  lineRate: 1e6,
});

const NO_SWARM = '' as SwarmKey;
const NO_DIGEST = '' as Digest;

/** Wire numbers of the messages that can be muted. */
export const WIRE_NUMBERS: Readonly<Record<Exclude<Muted, 'claim'>, number>> = {
  fetching: encodePeerMessage({ type: 'fetching', swarm: NO_SWARM, digest: NO_DIGEST, hops: 0, lineRate: 0 }).type,
  queued: encodePeerMessage({ type: 'queued', swarm: NO_SWARM, digests: [] }).type,
  want: encodePeerMessage({ type: 'want', swarm: NO_SWARM, wants: [] }).type,
};
