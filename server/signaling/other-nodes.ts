/** What a server has to do with the others that serve the same swarms. */
import type { PeerId, SwarmId } from '../../protocol/ids.ts';
import type { SiteKey } from '../site.ts';
import type { Directory } from './directory.ts';

/** A signal on its way from one server to another. */
export interface ForeignSignal {
  readonly to: PeerId;
  readonly from: PeerId;
  /** Of the sender. */
  readonly site: SiteKey;
  /** As JSON: between two servers nobody looks into it, and the client gets it as it is. */
  readonly signal: string;
}

export interface OtherNodesListener {
  /** Somebody came or left at another server. */
  changed(swarm: SwarmId): void;
  /** A peer of ours is connected to another server now. */
  gone(peer: PeerId): void;
  /** @returns false: the peer is not here */
  signal(message: ForeignSignal): boolean;
}

export interface OtherNodes {
  /** The record that all servers share. */
  readonly directory: Directory;
  /** False: the others can't be reached, so the directory knows this server's peers only. */
  readonly isReady: boolean;
  /** Called once, before anything else. */
  listen(listener: OtherNodesListener): void;
  /** Hands a signal to the server that has the peer. @returns false: no server has it */
  signal(message: ForeignSignal): Promise<boolean>;
  /** Takes all of this server's peers out of the directory and lets go of the others. */
  close(): Promise<void>;
}
