import type { Route } from './raw-web-socket.ts';

/** A signal with the number by which the generator knows it again. */
export interface NumberedSignal {
  readonly kind: 'offer' | 'answer' | 'candidate';
  readonly connection: number;
  readonly [field: string]: unknown;
}

/** What the rows hear of their peers. */
export interface PeerListener {
  /** A signal came. */
  signalled(connection: number): void;
  /** The server's answer to a signal came, where one was asked for. @param ok it was passed on */
  answered(ok: boolean): void;
  /** The server asked for a sign of life. */
  pinged(): void;
  /** The connection ended, and we had not ended it. */
  closed(reason: string): void;
}

/** One peer, whatever its server speaks. */
export interface Peer {
  /** How others call it; empty before it has joined. */
  readonly id: string;
  /** With this it has the same id again on another connection; empty: its server has no such thing. */
  readonly resume: string;
  /** Which server it is connected to: by nginx's header, or by the port. */
  readonly node: string;
  /** Peers of the swarm when it joined last; NaN: it is not told. */
  readonly swarmSize: number;
  /** Whom the server introduced to it; nobody, if it names none. */
  readonly introduced: readonly string[];
  /** Resolves when it may join. */
  readonly ready: Promise<void>;
  /** @param resume of an earlier connection */
  join(swarm: string, resume?: string): Promise<void>;
  /** @param answer ask for an answer, if the server has one */
  signal(to: string, signal: NumberedSignal, answer: boolean): void;
  /** Without a word, as a tab does that is gone. */
  destroy(): void;
}

export type OpenPeer = (route: Omit<Route, 'path'>, listener: PeerListener) => Peer;
