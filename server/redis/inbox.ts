/** What one server says to another through its channel, as lines of text. The prefix of the channel's name says of which version. */
import { isPeerId, type PeerId } from '../../protocol/ids.ts';
import type { ForeignSignal } from '../signaling/other-nodes.ts';
import type { SiteKey } from '../site.ts';

/** Between two messages that go as one. No id, site or JSON has it as it is. */
export const SEPARATOR = '\x1e';

export type InboxMessage =
  /** A peer of yours is mine now; it changed its server so often. Written by the script that has it enter. */
  | { readonly kind: 'gone'; readonly peer: PeerId; readonly turn: number }
  /** A signal of yours was for a peer that no server has. */
  | { readonly kind: 'nobody'; readonly peer: PeerId }
  /** `node`: the server of the sender. `hops`: how many servers it has been at. */
  | { readonly kind: 'signal'; readonly node: string; readonly hops: number; readonly message: ForeignSignal };

export const signalText = (node: string, hops: number, { to, from, site, signal }: ForeignSignal): string =>
  `signal\n${to}\n${from}\n${node}\n${hops}\n${site}\n${signal}`;

export const nobodyText = (peer: PeerId): string => `nobody\n${peer}`;

/** Undefined: not a message that we know. */
export function parseInbox(untrusted: string): InboxMessage | undefined {
  const [kind, first = '', second = '', node = '', hops = '', site = '', ...json] = untrusted.split('\n');
  if (kind === 'gone' && isPeerId(first) && /^\d+$/.test(second)) return { kind, peer: first, turn: Number(second) };
  if (kind === 'nobody' && isPeerId(first)) return { kind, peer: first };
  if (kind !== 'signal' || !isPeerId(first) || !isPeerId(second)) return undefined;
  const signal = json.join('\n');
  if (!signal.startsWith('{')) return undefined;
  // a server of ours has checked it
  const message = { to: first, from: second, site: site as SiteKey, signal };
  return { kind, node, hops: Number(hops), message };
}
