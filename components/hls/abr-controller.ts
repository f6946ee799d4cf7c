import type { AbrController, default as Hls, Events, FragLoadingData } from 'hls.js';

/** The choice of a rendition: given the player and what hls.js itself would take, the index to take. */
export type Choose = (hls: Hls, suggested: number) => number;

/**
 * hls.js's controller of the rendition with one question put behind its answer, and without its impatience. hls.js asks `nextAutoLevel` before
 * each segment, and `firstAutoLevel` before the first; the estimator and all the rest stay its own.
 */
export function abrController(Base: typeof AbrController, choose: Choose): typeof AbrController {
  return class extends Base {
    override get firstAutoLevel(): number {
      return this.#choose(super.firstAutoLevel);
    }

    override get nextAutoLevel(): number {
      return this.#choose(super.nextAutoLevel);
    }

    override set nextAutoLevel(level: number) {
      super.nextAutoLevel = level;
    }

    /**
     * Here hls.js starts the timer that abandons a segment which loads for more than half its duration, and loads it again in a lower
     * rendition: a second crossing, which halves the first.
     */
    protected override onFragLoading(event: Events.FRAG_LOADING, data: FragLoadingData): void {
      super.onFragLoading(event, data);
      this.clearTimer();
    }

    #choose(suggested: number): number {
      // hls.js sets `hls` to null when it destroys the controller, and may still ask.
      const hls = this.hls as Hls | null;
      return hls ? choose(hls, suggested) : suggested;
    }
  };
}
