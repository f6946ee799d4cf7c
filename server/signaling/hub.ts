import type { Socket } from 'socket.io';
import type { PeerId } from '../../protocol/ids.ts';
import type { MeshOff, RelayedSignal, SwarmState } from '../../protocol/signaling.ts';
import type { Awaitable } from '../awaitable.ts';
import type { Admission } from '../admission/admission.ts';
import type { Introductions } from '../admission/introductions.ts';
import type { RefusalCounts } from '../admission/refusals.ts';
import type { IceSource } from '../ice.ts';
import type { Logger } from '../log.ts';
import type { Viewer } from '../mesh-switch.ts';
import type { SiteKey } from '../site.ts';
import type { Directory } from './directory.ts';
import type { SignalingObserver } from './observer.ts';
import type { OtherNodes } from './other-nodes.ts';
import type { SwarmNews } from './swarm-news.ts';

/** What clients send: anything. */
export interface ClientEvents {
  join: (...untrusted: unknown[]) => void;
  leave: (...untrusted: unknown[]) => void;
  claim: (...untrusted: unknown[]) => void;
  signal: (...untrusted: unknown[]) => void;
  report: (...untrusted: unknown[]) => void;
  beacon: (...untrusted: unknown[]) => void;
}

export interface ServerEvents {
  signal: (message: RelayedSignal) => void;
  swarm: (state: SwarmState) => void;
}

export type SignalingSocket = Socket<ClientEvents, ServerEvents>;

/** Counted since the start. */
export interface SignalingCounters {
  refused: number;
  /** What was refused, dropped or cut off, by its reason. */
  readonly refusals: RefusalCounts;
  badMessages: number;
  /** Sockets disconnected for their bad messages. */
  cutOff: number;
  /** Signals passed on. */
  relayed: number;
}

/** What sessions need of each other. */
export interface PeerSession {
  /** The peer's id, once it has joined. */
  readonly peer: PeerId | undefined;
  /** Whom it may send signals to. */
  readonly introductions: Introductions;
  /** Passes a signal, as JSON, on to the client. `site`: the sender's. @returns false: the peer is not here (any more) */
  deliver(from: PeerId, site: SiteKey, signal: string): boolean;
  /** Sends the client a packet (`eventPacket`). */
  tell(packet: string): void;
  /** Resolves when all that was begun is in the directory. */
  idle(): Promise<void>;
  /** Ends its connection. */
  dismiss(): void;
  /** Of the tab that speaks for its browser. */
  readonly epoch: number;
  /** Gives up the peer to another socket; its places in the directory stay. */
  handOver(): Awaitable<void>;
}

/** What all sessions of a server share. */
export interface Hub {
  readonly directory: Directory;
  readonly others: OtherNodes | undefined;
  readonly admission: Admission;
  readonly news: SwarmNews<PeerSession>;
  /** All that have yet to come to their end, those without a peer included. */
  readonly open: Set<PeerSession>;
  /** The session that speaks for each peer. */
  readonly sessions: Map<PeerId, PeerSession>;
  readonly ice: IceSource;
  readonly counters: SignalingCounters;
  readonly log: Logger | undefined;
  readonly isClosing: boolean;
  readonly observer: SignalingObserver;
  /** Why a viewer takes no part in the mesh; undefined: it does. */
  readonly off: (viewer: Viewer) => MeshOff | undefined;
}
