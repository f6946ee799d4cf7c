/**
 * Who holds the next segments. The mesh answers later, the player asks in between: this keeps the last answer.
 */
import type { MeshFace } from '../../mesh/index.ts';
import type { Digest } from '../../protocol/ids.ts';
import type { Held } from '../../protocol/page.ts';

export class HeldSegments {
  readonly #mesh: MeshFace;
  readonly #wanted: () => readonly Digest[];
  readonly #held = new Map<Digest, Held>();
  #asking = false;
  #askAgain = false;

  /** @param wanted the digests that matter now; none: nothing is asked */
  constructor(mesh: MeshFace, wanted: () => readonly Digest[], signal: AbortSignal) {
    this.#mesh = mesh;
    this.#wanted = wanted;
    mesh.addEventListener('stats', () => this.refresh(), { signal });
  }

  of(digest: Digest | null): Held {
    return (digest !== null && this.#held.get(digest)) || 'nobody';
  }

  /** Asks anew. While an answer is due, the next question waits for it. */
  refresh(): void {
    if (this.#asking) {
      this.#askAgain = true;
      return;
    }
    const digests = [...new Set(this.#wanted())];
    if (digests.length > 0) void this.#ask(digests);
    else this.#held.clear();
  }

  async #ask(digests: readonly Digest[]): Promise<void> {
    this.#asking = true;
    try {
      const held = await this.#mesh.held(digests);
      this.#held.clear();
      digests.forEach((digest, index) => this.#held.set(digest, held[index] ?? 'nobody'));
    } catch {
      this.#held.clear(); // a mesh that was left has nothing
    } finally {
      this.#asking = false;
    }
    if (this.#askAgain) {
      this.#askAgain = false;
      this.refresh();
    }
  }
}
