import type { Digest, SwarmId } from '../../protocol/ids.ts';

/** Which of our stored assets we announce in which swarm. */
export class Holdings {
  readonly #swarms = new Map<SwarmId, Set<Digest>>();

  /** Notes an asset; false if that swarm knew of it. */
  add(swarm: SwarmId, digest: Digest): boolean {
    const digests = this.#swarms.get(swarm) ?? new Set();
    this.#swarms.set(swarm, digests);
    if (digests.has(digest)) return false;
    digests.add(digest);
    return true;
  }

  /** Forgets an asset; returns the swarms that knew of it. */
  remove(digest: Digest): readonly SwarmId[] {
    return [...this.#swarms].filter(([, digests]) => digests.delete(digest)).map(([swarm]) => swarm);
  }

  /** Forgets a whole swarm. */
  drop(swarm: SwarmId): void {
    this.#swarms.delete(swarm);
  }

  /** Does any swarm know of it? */
  has(digest: Digest): boolean {
    return [...this.#swarms.values()].some((digests) => digests.has(digest));
  }

  in(swarm: SwarmId): readonly Digest[] {
    return [...(this.#swarms.get(swarm) ?? [])];
  }
}
