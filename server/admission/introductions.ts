import type { PeerId } from '../../protocol/ids.ts';
import { MAX_INTRODUCED } from './limits.ts';

/**
 * To whom one peer may send signals, and from whom it takes them: those that a reply of the server named to it, and those that signalled it. One
 * of two that knows of the other is enough. So who knows a peer's id from elsewhere can't reach it. State of one session; who was introduced longest
 * ago is forgotten first.
 */
export class Introductions {
  /** In the order of their introduction; an array, for with a dozen names it is searched as fast as a set, and takes half the memory. Made with the first. */
  #peers: PeerId[] | null = null;

  get size(): number {
    return this.#peers?.length ?? 0;
  }

  /** A reply named this peer, or a signal came from it. */
  introduced(peer: PeerId): void {
    this.#peers ??= [];
    if (this.#peers.includes(peer)) return;
    if (this.#peers.length >= MAX_INTRODUCED) this.#peers.shift();
    this.#peers.push(peer);
  }

  /** A reply named these, each once: what a first join does for each newcomer. */
  allIntroduced(members: readonly PeerId[], others: readonly PeerId[]): void {
    if (this.#peers === null) {
      if (members.length + others.length > 0) this.#peers = [...members, ...others].slice(-MAX_INTRODUCED);
      return;
    }
    for (const peer of members) this.introduced(peer);
    for (const peer of others) this.introduced(peer);
  }

  mayReach(peer: PeerId): boolean {
    return this.#peers?.includes(peer) === true;
  }
}
