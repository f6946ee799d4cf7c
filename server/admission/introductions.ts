import type { PeerId } from '../../protocol/ids.ts';
import { MAX_INTRODUCED } from './limits.ts';

/**
 * To whom one peer may send signals, and from whom it takes them: those that a reply of the server named to it, and those that signalled it. One
 * of two that knows of the other is enough. So who knows a peer's id from elsewhere can't reach it. State of one session; who was introduced longest
 * ago is forgotten first.
 */
export class Introductions {
  /** Made with the first: a peer that is alone has none. */
  #peers: Set<PeerId> | null = null;

  get size(): number {
    return this.#peers?.size ?? 0;
  }

  /** A reply named this peer, or a signal came from it. */
  introduced(peer: PeerId): void {
    this.#peers ??= new Set();
    if (this.#peers.has(peer)) return;
    if (this.#peers.size >= MAX_INTRODUCED) for (const oldest of this.#peers) if (this.#peers.delete(oldest)) break;
    this.#peers.add(peer);
  }

  mayReach(peer: PeerId): boolean {
    return this.#peers?.has(peer) === true;
  }
}
