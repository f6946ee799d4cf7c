/** Measures from within the page how long the playhead stood still. */
import type { BrowserContext, Page } from 'playwright-core';
import { inPage } from './viewer.ts';

export interface Stalls {
  /** Has the first frame been seen to move? */
  readonly started: boolean;
  /** The longest time that the playhead stood still between its first move and its latest one, ms. */
  readonly longest: number;
  /** Media time where that was, seconds. */
  readonly at: number;
  /** Media time of the first and of the latest move, seconds. */
  readonly from: number;
  readonly to: number;
}

/** To be called before the page is opened. Watches its first <p2p-video>. */
export async function watchStalls(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    const seen = { started: false, longest: 0, at: 0, from: 0, to: 0 };
    const sampler = {
      lastTime: -1,
      lastMove: 0,
      step() {
        const video = document.querySelector<HTMLElement & { nativeEl: HTMLVideoElement }>('p2p-video')?.nativeEl;
        const now = performance.now();
        const time = video?.currentTime ?? 0;
        if (video && time > this.lastTime) {
          if (seen.started) {
            // What passed on the wall but not in the film; a page that was not let run misses frames, but is no stall.
            const stood = now - this.lastMove - (1000 * (time - this.lastTime)) / video.playbackRate;
            if (stood > seen.longest) Object.assign(seen, { longest: stood, at: this.lastTime });
          } else if (this.lastTime >= 0) Object.assign(seen, { started: true, from: time });
          seen.to = time;
          this.lastTime = time;
          this.lastMove = now;
        }
        requestAnimationFrame(() => this.step());
      },
    };
    Object.assign(window, { stalls: seen });
    document.addEventListener('playing', () => sampler.step(), { capture: true, once: true });
  });
}

export const stallsOf = (page: Page): Promise<Stalls> =>
  inPage(page, () => (window as unknown as { stalls: Stalls }).stalls);
