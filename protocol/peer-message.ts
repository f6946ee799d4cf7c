/** What neighbours say to each other over their data channel. `docs/wire.md` has the layouts. */
import { blockCount } from './digest.ts';
import { badFrame, type Frame, type FrameInPieces } from './frame.ts';
import { fromHex, toHex } from './hex.ts';
import { isAssetSize, type Digest, type SwarmKey } from './ids.ts';
import { BLOCK_BYTES, HASH_BYTES, ID_BYTES, MAX_DIGESTS_PER_FRAME, MAX_SWARMS, MAX_WANTS } from './limits.ts';

/** `later`: it is on its way, but without block hashes, so it can be handed on only when it is whole; a `have` will tell. */
export type RefuseReason = 'not-held' | 'busy' | 'later';

/** An asset on its way to a peer. */
interface Fetching {
  readonly digest: Digest;
  /** Through how many peers it comes from who crosses: 0, the sender itself crosses. One takes it only from fewer hops than one's own, so that nobody waits in a circle. */
  readonly hops: number;
  /** Bytes per second that the site's line carried of late, as the sender itself measured; 0: it did not. */
  readonly lineRate: number;
}

export interface Want {
  readonly digest: Digest;
  /** Milliseconds until it is needed. */
  readonly within: number;
}

export type PeerMessage =
  /** First message each way, and again whenever the sender enters or leaves a swarm. */
  | { readonly type: 'hello'; readonly version: number; readonly swarms: readonly SwarmKey[] }
  /** The sender hands these out. The first `have` of a swarm answers a `hello` that names it, even if the list is empty. */
  | { readonly type: 'have'; readonly swarm: SwarmKey; readonly digests: readonly Digest[] }
  | { readonly type: 'lost'; readonly swarm: SwarmKey; readonly digests: readonly Digest[] }
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
  | { readonly type: 'cancel'; readonly request: number }
  | { readonly type: 'refuse'; readonly request: number; readonly reason: RefuseReason }
  | { readonly type: 'ping'; readonly request: number }
  | { readonly type: 'pong'; readonly request: number }
  /** The sender is going; nothing follows. */
  | { readonly type: 'bye' };

/** In the order of their wire numbers, from 1 on. Never reused. */
const TYPES = [
  'hello',
  'have',
  'lost',
  'request',
  'leaves',
  'block',
  'cancel',
  'refuse',
  'ping',
  'pong',
  'bye',
  'fetching',
  'queued',
  'want',
] as const satisfies PeerMessage['type'][];

const wireNumber = (type: PeerMessage['type']): number => TYPES.indexOf(type) + 1;

const REASONS: readonly RefuseReason[] = ['not-held', 'busy', 'later'];

/** Is this the wire number of an answer that carries content? */
export const carriesContent = (type: number): boolean => type === wireNumber('block') || type === wireNumber('leaves');

const MAX_UINT32 = 0xffff_ffff;

export const encodeInPieces = (message: PeerMessage): FrameInPieces => ({
  type: wireNumber(message.type),
  request: 'request' in message ? message.request : 0,
  pieces: piecesOf(message),
});

function piecesOf(message: PeerMessage): readonly Uint8Array[] {
  switch (message.type) {
    case 'hello':
      return [Uint8Array.of(message.version), ...message.swarms.map(fromHex)];
    case 'have':
    case 'lost':
    case 'queued':
      return [fromHex(message.swarm), ...message.digests.map(fromHex)];
    case 'fetching':
      return [fromHex(message.swarm), fromHex(message.digest), Uint8Array.of(message.hops), uint32(message.lineRate)];
    case 'want':
      return [
        fromHex(message.swarm),
        ...message.wants.flatMap(({ digest, within }) => [fromHex(digest), uint32(within)]),
      ];
    case 'request':
      return [
        fromHex(message.digest),
        uint32(message.first),
        uint32(message.count),
        Uint8Array.of(message.leaves ? 1 : 0),
      ];
    case 'leaves':
      return [uint32(message.size), message.untrustedLeaves];
    case 'block':
      return [uint32(message.index), message.untrustedBlock];
    case 'refuse':
      return [Uint8Array.of(REASONS.indexOf(message.reason))];
    case 'cancel':
    case 'ping':
    case 'pong':
    case 'bye':
      return [];
    default:
      return message satisfies never;
  }
}

/** @throws P2PError `bad-frame` */
export function parsePeerMessage(untrusted: Frame): PeerMessage {
  const { request, payload } = untrusted;
  const type = TYPES[untrusted.type - 1];
  switch (type) {
    case 'hello':
      return {
        type,
        version: byteAt(payload, 0),
        swarms: hexList(payload.subarray(1), ID_BYTES, MAX_SWARMS) as SwarmKey[],
      };
    case 'have':
    case 'lost':
    case 'queued':
      return { type, ...parseDigests(payload) };
    case 'fetching':
      if (payload.length !== ID_BYTES + HASH_BYTES + 5)
        throw badFrame(`a swarm key, a digest and 5 bytes`, `${payload.length} bytes`);
      return {
        type,
        swarm: swarmAt(payload),
        digest: digestAt(payload, ID_BYTES),
        hops: byteAt(payload, ID_BYTES + HASH_BYTES),
        lineRate: uint32At(payload, ID_BYTES + HASH_BYTES + 1),
      };
    case 'want':
      return { type, swarm: swarmAt(payload), wants: parseWants(payload.subarray(ID_BYTES)) };
    case 'request':
      return parseRequest(request, payload);
    case 'leaves': {
      const size = uint32At(payload, 0);
      if (!isAssetSize(size) || payload.length !== 4 + blockCount(size) * HASH_BYTES)
        throw badFrame('an asset size and its leaves', `${size} and ${payload.length} bytes`);
      return { type, request, size, untrustedLeaves: payload.subarray(4) };
    }
    case 'block': {
      const index = uint32At(payload, 0);
      if (payload.length <= 4 || payload.length > 4 + BLOCK_BYTES)
        throw badFrame(`a block of 1 to ${BLOCK_BYTES} bytes`, payload.length - 4);
      return { type, request, index, untrustedBlock: payload.subarray(4) };
    }
    case 'refuse': {
      const reason = REASONS[byteAt(payload, 0)];
      if (reason === undefined) throw badFrame('a reason', payload[0]);
      return { type, request, reason };
    }
    case 'cancel':
    case 'ping':
    case 'pong':
      return { type, request };
    case 'bye':
      return { type };
    case undefined:
      throw badFrame('a known frame type', untrusted.type);
    default:
      return type satisfies never;
  }
}

function swarmAt(payload: Uint8Array): SwarmKey {
  if (payload.length < ID_BYTES) throw badFrame('a swarm key', payload.length);
  return toHex(payload.subarray(0, ID_BYTES)) as SwarmKey;
}

const digestAt = (payload: Uint8Array, offset: number): Digest =>
  toHex(payload.subarray(offset, offset + HASH_BYTES)) as Digest;

const parseDigests = (payload: Uint8Array): { swarm: SwarmKey; digests: Digest[] } => ({
  swarm: swarmAt(payload),
  digests: hexList(payload.subarray(ID_BYTES), HASH_BYTES, MAX_DIGESTS_PER_FRAME) as Digest[],
});

function parseWants(bytes: Uint8Array): Want[] {
  const each = HASH_BYTES + 4;
  if (bytes.length % each !== 0 || bytes.length > MAX_WANTS * each)
    throw badFrame(`at most ${MAX_WANTS} wants of ${each} bytes`, bytes.length);
  return Array.from({ length: bytes.length / each }, (_, i) => ({
    digest: digestAt(bytes, i * each),
    within: uint32At(bytes.subarray(i * each), HASH_BYTES),
  }));
}

function parseRequest(request: number, payload: Uint8Array): PeerMessage {
  if (payload.length !== HASH_BYTES + 9) throw badFrame(`a request of ${HASH_BYTES + 9} bytes`, payload.length);
  return {
    type: 'request',
    request,
    digest: digestAt(payload, 0),
    first: uint32At(payload, HASH_BYTES),
    count: uint32At(payload, HASH_BYTES + 4),
    leaves: byteAt(payload, HASH_BYTES + 8) === 1,
  };
}

/** The nearest there is: Infinity becomes the largest. */
function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, Math.min(MAX_UINT32, Math.max(0, Math.round(value))));
  return bytes;
}

function uint32At(payload: Uint8Array, offset: number): number {
  if (payload.length < offset + 4) throw badFrame(`at least ${offset + 4} bytes`, payload.length);
  return new DataView(payload.buffer, payload.byteOffset).getUint32(offset);
}

function byteAt(payload: Uint8Array, offset: number): number {
  const byte = payload[offset];
  if (byte === undefined) throw badFrame(`at least ${offset + 1} bytes`, payload.length);
  return byte;
}

function hexList(bytes: Uint8Array, each: number, most: number): string[] {
  if (bytes.length % each !== 0 || bytes.length > most * each)
    throw badFrame(`at most ${most} items of ${each} bytes`, bytes.length);
  return Array.from({ length: bytes.length / each }, (_, i) => toHex(bytes.subarray(i * each, (i + 1) * each)));
}
