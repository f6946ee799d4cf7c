/** What a viewer sees of a video: how long it takes to its first frame, and where it stalls. Told to the mesh, whose server adds such numbers up. */
import type { MeshFace } from '../mesh/index.ts';

export class PlayWatch {
  readonly #media: HTMLMediaElement;
  readonly #mesh: () => MeshFace;
  /** When the source began; null: its first frame is there, or nobody looks. */
  #begun: number | null = null;
  /** Does it play, so that to wait is to stall? */
  #plays = false;
  #stalledSince: number | null = null;

  constructor(media: HTMLMediaElement, mesh: () => MeshFace) {
    this.#media = media;
    this.#mesh = mesh;
  }

  /** There is a new source. Browsers let videos wait in a tab that nobody sees. */
  begin(): void {
    this.#begun = document.hidden ? null : performance.now();
  }

  /** @param type of each event of the media element */
  take(type: string): void {
    const now = performance.now();
    if (type === 'play' && this.#media.preload === 'none' && this.#begun !== null) this.#begun = now;
    if (type === 'loadeddata') {
      if (this.#begun !== null && !document.hidden) this.#mesh().played({ firstFrame: Math.round(now - this.#begun) });
      this.#begun = null;
    }
    // A stall counts when it begins: who gives up during one never sees its end.
    if (type === 'waiting' && this.#plays && this.#stalledSince === null) {
      this.#stalledSince = now;
      this.#mesh().played({ stalls: 1 });
    }
    // To wait after a seek is no stall.
    if (!['playing', 'seeking', 'pause', 'emptied', 'ended'].includes(type)) return;
    this.#plays = type === 'playing';
    if (this.#stalledSince !== null) this.#mesh().played({ stalled: Math.round(now - this.#stalledSince) });
    this.#stalledSince = null;
  }
}
