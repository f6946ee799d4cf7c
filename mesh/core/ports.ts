/** What the engine needs of the world. It reaches for nothing else, so the same engine runs in a worker, on the main thread, and in Node on a virtual clock. */
import type { Beacon } from '../../protocol/beacon.ts';
import type { AssetName, Digest, PeerId, Sha256 } from '../../protocol/ids.ts';
import type {
  ClaimReply,
  ClaimRequest,
  Done,
  IceServer,
  JoinReply,
  JoinRequest,
  LeaveRequest,
  Refusal,
  RelayedSignal,
  ReportRequest,
  Signal,
  SignalRequest,
  SwarmState,
} from '../../protocol/signaling.ts';

export interface Clock {
  /** Milliseconds since some fixed moment; never goes back. */
  now(): number;
  /** Runs a function once, later. The returned function takes it back. */
  after(milliseconds: number, run: () => void): () => void;
}

/** Uniform in [0, 1). */
export type Random = () => number;

/** A data channel to one peer: reliable, ordered, whole messages. */
export interface Channel {
  /** Bytes handed to `send` that are not on the wire yet. */
  readonly bufferedAmount: number;
  /** Copies the message: its memory is written over afterwards. */
  send(message: Uint8Array<ArrayBuffer>): void;
  close(): void;
  /** Called once, in the task in which the channel came. */
  listen(listener: ChannelListener): void;
}

export interface ChannelListener {
  opened(): void;
  /** A message that is not binary comes as null. */
  received(untrustedMessage: Uint8Array<ArrayBuffer> | null): void;
  /** `bufferedAmount` fell to CHANNEL_REFILL_BYTES. */
  drained(): void;
  closed(): void;
}

/** Makes and ends connections; the page does, for only a window can. Channels come back through the engine's `channel` message. */
export interface Dialer {
  /** Offers a connection. `connection` names the attempt. */
  dial(connection: number, peer: PeerId, iceServers: readonly IceServer[]): void;
  /** Hands on what the peer at the other end said. An offer for an unknown connection answers it. */
  remoteSignal(peer: PeerId, signal: Signal, iceServers: readonly IceServer[]): void;
  hangUp(connection: number): void;
}

export interface Signaling {
  /** Connects, and keeps reconnecting until closed. */
  open(listener: SignalingListener): void;
  join(request: JoinRequest): Promise<JoinReply | Refusal>;
  signal(request: SignalRequest): Promise<Done | Refusal>;
  claim(request: ClaimRequest): Promise<ClaimReply | Refusal>;
  leave(request: LeaveRequest): void;
  report(request: ReportRequest): void;
  /** Lost where there is no connection. */
  beacon(beacon: Beacon): void;
  close(): void;
}

export interface SignalingListener {
  connected(): void;
  /** An attempt failed or the connection broke; it is tried again. `reason` is for people. */
  disconnected(reason: string): void;
  signal(message: RelayedSignal): void;
  swarm(state: SwarmState): void;
}

export interface OriginRequest {
  readonly url: string;
  /** Bytes `[start, end)`; null: all. */
  readonly range: { readonly start: number; readonly end: number } | null;
  /** `omit` for all that is shared, so that nothing gated by a cookie slips in. */
  readonly credentials: 'omit' | 'same-origin';
  readonly signal: AbortSignal;
  /** Is the origin asked whether what the browser has kept is still right (RFC 9111, `no-cache`)? Default: as it allowed. */
  readonly revalidates?: boolean;
}

export interface OriginResponse {
  readonly status: number;
  /** After redirects. */
  readonly url: string;
  readonly contentType: string;
  /** Bytes to come, where the headers tell; null else. */
  readonly size: number | null;
  /** First byte of a 206; 0 else. */
  readonly start: number;
  /** Names in lower case, as far as another origin shows them. */
  readonly headers: Readonly<Record<string, string>>;
  /** Do status and headers allow sharing (RFC 9111: neither `private` nor `no-store`)? */
  readonly shareable: boolean;
  readonly chunks: AsyncIterable<Uint8Array<ArrayBuffer>>;
}

/** Rejects where no answer came; an HTTP error is an answer. */
export type OriginFetch = (request: OriginRequest) => Promise<OriginResponse>;

/** An answer that the browser has kept. */
export interface CachedAnswer {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly contentType: string;
  readonly shareable: boolean;
}

export interface StoredAsset extends AssetName {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly leaves: Uint8Array<ArrayBuffer>;
  readonly contentType: string;
}

/** Checked assets on this device. What it gives out stays its own: who passes bytes on copies them. */
export interface Store {
  /** Resolves when it is known what earlier visits left, or that takes too long. */
  readonly ready: Promise<void>;
  /** What has to go last: the engine writes here what players need next. */
  readonly needed: Set<Digest>;
  has(digest: Digest): boolean;
  /** Undefined: it is not here (any more). */
  read(digest: Digest): Promise<StoredAsset | undefined>;
  /** It was read by somebody else. */
  used(digest: Digest): void;
  /** Takes the asset over. */
  put(asset: StoredAsset): void;
  /** Resolves when all that was put is kept for the next visit, or can't be. */
  settled(): Promise<void>;
  /** Throws all of it away. */
  clear(): Promise<void>;
  /** Who hears of what has to go, while it is still here. */
  listen(losing: (digests: readonly Digest[]) => void): void;
}

/** Texts of earlier visits, by URL. Never rejects. */
export interface KeptTexts {
  /** Null: there is none. */
  read(url: string): Promise<string | null>;
  write(url: string, text: string): Promise<void>;
}

/** A line for developers; the function is only called when somebody listens. */
export type Trace = (namespace: 'assets' | 'mesh' | 'signaling' | 'transfer' | 'upload', text: () => string) => void;

export interface Ports {
  readonly clock: Clock;
  readonly random: Random;
  readonly sha256: Sha256;
  readonly origin: OriginFetch;
  /** What the browser itself has of a URL; null: nothing. Asks no network. */
  readonly cached: (url: string) => Promise<CachedAnswer | null>;
  readonly store: Store;
  readonly kept: KeptTexts;
  readonly signaling: Signaling;
  readonly dialer: Dialer;
  readonly trace: Trace;
}
