/**
 * Who holds the next segments, while the origin is unreachable. The mesh answers later, the player asks in between: this keeps the last answer.
 */
import type { MeshFace } from '../../mesh/index.ts';
import type { Digest } from '../../protocol/ids.ts';
import type { Held } from '../../protocol/page.ts';

export class HeldSegments {
  readonly #mesh: MeshFace;
  readonly #wanted: () => readonly Digest[];
  readonly #onChange: () => void;
  readonly #held = new Map<Digest, Held>();
  #asking = false;
  #askAgain = false;

  /**
   * @param wanted the digests that matter now
   * @param onChange called after each answer of the mesh, and when the origin is back
   */
  constructor(mesh: MeshFace, wanted: () => readonly Digest[], onChange: () => void, signal: AbortSignal) {
    this.#mesh = mesh;
    this.#wanted = wanted;
    this.#onChange = onChange;
    mesh.addEventListener('stats', () => this.refresh(), { signal });
  }

  of(digest: Digest | null): Held {
    return (digest !== null && this.#held.get(digest)) || 'nobody';
  }

  /** Asks anew, if the origin is unreachable. While an answer is due, the next question waits for it. */
  refresh(): void {
    if (this.#mesh.stats.originReachable) {
      this.#held.clear();
      this.#onChange();
    } else if (this.#asking) {
      this.#askAgain = true;
    } else {
      void this.#ask();
    }
  }

  async #ask(): Promise<void> {
    this.#asking = true;
    try {
      const digests = [...new Set(this.#wanted())];
      const held = await this.#mesh.held(digests);
      this.#held.clear();
      digests.forEach((digest, index) => this.#held.set(digest, held[index] ?? 'nobody'));
    } catch {
      this.#held.clear(); // a mesh that was left holds nothing
    } finally {
      this.#asking = false;
    }
    this.#onChange();
    if (this.#askAgain) {
      this.#askAgain = false;
      this.refresh();
    }
  }
}
