import type { PeerId } from '../../protocol/ids.ts';

/** Which peers each token's subject has here, so that one token is not used by more than it was made for. */
export interface Subjects {
  /** Takes a place, or one more hold on the place that the peer has. @param most peers at a time @returns false: all are taken */
  take(subject: string, peer: PeerId, most: number): Promise<boolean>;
  /** Gives one hold back. A peer that comes back on another connection has two for a moment. @returns whether the place is free now */
  release(subject: string, peer: PeerId): boolean;
}

/** For one node. */
export class MemorySubjects implements Subjects {
  /** Holds of each peer of each subject. */
  readonly #holds = new Map<string, Map<PeerId, number>>();

  get size(): number {
    return this.#holds.size;
  }

  async take(subject: string, peer: PeerId, most: number): Promise<boolean> {
    const peers = this.#holds.get(subject) ?? new Map<PeerId, number>();
    const held = peers.get(peer) ?? 0;
    if (held === 0 && peers.size >= most) return false;
    this.#holds.set(subject, peers.set(peer, held + 1));
    return true;
  }

  release(subject: string, peer: PeerId): boolean {
    const peers = this.#holds.get(subject);
    const held = peers?.get(peer) ?? 0;
    if (peers === undefined || held === 0) return false;
    if (held > 1) {
      peers.set(peer, held - 1);
      return false;
    }
    peers.delete(peer);
    if (peers.size === 0) this.#holds.delete(subject);
    return true;
  }

  has(subject: string, peer: PeerId): boolean {
    return this.#holds.get(subject)?.has(peer) === true;
  }

  /** All that are taken. */
  *places(): Generator<readonly [subject: string, peer: PeerId]> {
    for (const [subject, peers] of this.#holds) for (const peer of peers.keys()) yield [subject, peer];
  }
}
