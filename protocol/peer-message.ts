/** What neighbours say to each other over their data channel. `docs/wire.md` has the layouts. */
import { blockCount } from './digest.ts';
import { badFrame, type Frame, type FrameInPieces } from './frame.ts';
import { isAssetSize, type AssetName, type Digest, type SwarmKey } from './ids.ts';
import { bitmap, bytesOf, flag, hex, listOf, oneOf, struct, uint32, uint8, type Layout } from './layout.ts';
import {
  BLOCK_BYTES,
  HASH_BYTES,
  ID_BYTES,
  MAX_ASSET_BYTES,
  MAX_DIGESTS_PER_FRAME,
  MAX_FRAME_BYTES,
  MAX_NAMES_PER_FRAME,
  MAX_SWARMS,
  MAX_WANTS,
} from './limits.ts';

/** `later`: it is on its way, but without block hashes, so it can be handed on only when it is whole; a `have` will tell. */
export type RefuseReason = 'not-held' | 'busy' | 'later';

/** An asset on its way to a peer. */
interface Fetching {
  readonly digest: Digest;
  /** Through how many peers it comes from who crosses: 0, the sender itself does, from the origin; 1, it does from other sites. In one's own site one takes it only from fewer hops than one's own, so that nobody waits in a circle. */
  readonly hops: number;
  /** Bytes per second that the site's line carried of late, as the sender itself measured; 0: it did not. */
  readonly lineRate: number;
}

export interface Want {
  readonly digest: Digest;
  /** Milliseconds until it is needed. */
  readonly within: number;
}

/** What is at a URL, for no origin told its digest: so it is the sender's word. `digest` is the content's own; the asset's is made of it and the URL's key by who hears of it. */
export interface NamedByUrl extends Required<Omit<AssetName, 'leavesUrl'>> {
  /** Milliseconds for which the origin's answer is fresh. */
  readonly freshFor: number;
}

export type PeerMessage =
  /** First message each way, and again whenever the sender enters or leaves a swarm. */
  | { readonly type: 'hello'; readonly version: number; readonly swarms: readonly SwarmKey[] }
  /** The sender hands these out. The first `have` of a swarm answers a `hello` that names it, even if the list is empty. */
  | { readonly type: 'have'; readonly swarm: SwarmKey; readonly digests: readonly Digest[] }
  | { readonly type: 'lost'; readonly swarm: SwarmKey; readonly digests: readonly Digest[] }
  /** What the sender hands out of a swarm whose assets are named by their URLs: a `have` comes with it. */
  | { readonly type: 'named'; readonly swarm: SwarmKey; readonly names: readonly NamedByUrl[] }
  /** The sender has this asset under way and hands its blocks out as they are checked. Said again when `hops` falls. */
  | ({ readonly type: 'fetching'; readonly swarm: SwarmKey } & Fetching)
  /** The sender is about to cross these, in this order. */
  | { readonly type: 'queued'; readonly swarm: SwarmKey; readonly digests: readonly Digest[] }
  /** The sender needs these and knows of nobody at its site who has them: to the site's keeper. */
  | { readonly type: 'want'; readonly swarm: SwarmKey; readonly wants: readonly Want[] }
  /** Asks for `count` blocks from block `first` on (with `count` 0 for none), and for the leaves before them. Of an asset under way, what is still to come is sent as it comes. */
  | {
      readonly type: 'request';
      readonly request: number;
      readonly digest: Digest;
      readonly first: number;
      readonly count: number;
      readonly leaves: boolean;
    }
  /** Asks for one of these blocks, whichever there is and was given least, and for the leaves before it. */
  | {
      readonly type: 'pick';
      readonly request: number;
      readonly digest: Digest;
      readonly blocks: readonly number[];
      readonly leaves: boolean;
    }
  /** The sender, who has this asset under way, has these blocks by now. */
  | { readonly type: 'bitfield'; readonly digest: Digest; readonly blocks: readonly number[] }
  | {
      readonly type: 'leaves';
      readonly request: number;
      readonly size: number;
      readonly untrustedLeaves: Uint8Array<ArrayBuffer>;
    }
  | {
      readonly type: 'block';
      readonly request: number;
      readonly index: number;
      readonly untrustedBlock: Uint8Array<ArrayBuffer>;
    }
  /** So many bytes of messages of content came, headers included: as many more may be on their way. */
  | { readonly type: 'credit'; readonly bytes: number }
  | { readonly type: 'cancel'; readonly request: number }
  | { readonly type: 'refuse'; readonly request: number; readonly reason: RefuseReason }
  | { readonly type: 'ping'; readonly request: number }
  | { readonly type: 'pong'; readonly request: number }
  /** The sender is going; nothing follows. */
  | { readonly type: 'bye' };

/** What a message says besides its type and the request that it belongs to. */
type Said<M> = Omit<M, 'type' | 'request'>;

type Layouts = { readonly [T in PeerMessage['type']]: Layout<Said<Extract<PeerMessage, { type: T }>>> };

const swarm = hex<SwarmKey>(ID_BYTES);
const digest = hex<Digest>(HASH_BYTES);
const digests = struct({ swarm, digests: listOf(digest, MAX_DIGESTS_PER_FRAME) });
const blocks = bitmap(blockCount(MAX_ASSET_BYTES) / 8);
const nothing = struct({});

/** In the order of their wire numbers, from 1 on. Never reused. */
const LAYOUTS: Layouts = {
  hello: struct({ version: uint8, swarms: listOf(swarm, MAX_SWARMS) }),
  have: digests,
  lost: digests,
  request: struct({ digest, first: uint32, count: uint32, leaves: flag }),
  leaves: struct({ size: uint32, untrustedLeaves: bytesOf(HASH_BYTES, MAX_FRAME_BYTES) }),
  block: struct({ index: uint32, untrustedBlock: bytesOf(1, BLOCK_BYTES) }),
  cancel: nothing,
  refuse: struct({ reason: oneOf<RefuseReason>(['not-held', 'busy', 'later']) }),
  ping: nothing,
  pong: nothing,
  bye: nothing,
  fetching: struct({ swarm, digest, hops: uint8, lineRate: uint32 }),
  queued: digests,
  want: struct({ swarm, wants: listOf(struct<Want>({ digest, within: uint32 }), MAX_WANTS) }),
  pick: struct({ digest, leaves: flag, blocks }),
  bitfield: struct({ digest, blocks }),
  credit: struct({ bytes: uint32 }),
  named: struct({
    swarm,
    names: listOf(struct<NamedByUrl>({ urlKey: digest, digest, size: uint32, freshFor: uint32 }), MAX_NAMES_PER_FRAME),
  }),
};

const TYPES = Object.keys(LAYOUTS) as PeerMessage['type'][];

/** Those that belong to a request. */
const NUMBERED: ReadonlySet<PeerMessage['type']> = new Set([
  'request',
  'pick',
  'leaves',
  'block',
  'cancel',
  'refuse',
  'ping',
  'pong',
] as const);

const wireNumber = (type: PeerMessage['type']): number => TYPES.indexOf(type) + 1;

/** Is this the wire number of an answer that carries content? */
export const carriesContent = (type: number): boolean => type === wireNumber('block') || type === wireNumber('leaves');

export const encodeInPieces = (message: PeerMessage): FrameInPieces => ({
  type: wireNumber(message.type),
  request: 'request' in message ? message.request : 0,
  pieces: (LAYOUTS[message.type] as unknown as Layout<PeerMessage>).write(message),
});

/** @throws P2PError `bad-frame` */
export function parsePeerMessage(untrusted: Frame): PeerMessage {
  const { request, payload } = untrusted;
  const type = TYPES[untrusted.type - 1];
  if (type === undefined) throw badFrame('a known frame type', untrusted.type);
  const said = LAYOUTS[type].read(payload);
  const message = { type, ...(NUMBERED.has(type) && { request }), ...said } as PeerMessage;
  if (message.type === 'leaves' && !areOf(message.size, message.untrustedLeaves))
    throw badFrame('an asset size and its leaves', `${message.size} and ${payload.length} bytes`);
  if (message.type === 'named' && !message.names.every(({ size }) => isAssetSize(size)))
    throw badFrame('asset sizes', 'others');
  return message;
}

const areOf = (size: number, leaves: Uint8Array): boolean =>
  isAssetSize(size) && leaves.length === blockCount(size) * HASH_BYTES;
