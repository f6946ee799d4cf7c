/** Measures from within the page how long the playhead stood still for want of media: time in which a loaded machine did not decode what is buffered is no stall. */
import { inPage, type AnyPage } from './viewer.ts';

export interface Stalls {
  /** Has the first frame been seen to move? */
  readonly started: boolean;
  /** The longest time between its first move and its latest one that the playhead stood still with next to nothing buffered ahead of it, ms. */
  readonly longest: number;
  /** Media time where that was, seconds. */
  readonly at: number;
  /** Media time of the first and of the latest move, seconds. */
  readonly from: number;
  readonly to: number;
}

/** With so much in the buffer a playhead that stands still waits for the machine, seconds. */
const ENOUGH_AHEAD = 0.3;

/** Has a function run in each page before its own scripts: a context of playwright, or one page of puppeteer. */
export interface Preparable {
  addInitScript(run: (argument: number) => void, argument: number): Promise<unknown>;
}

/** To be called before the page is opened. Watches its first <p2p-video>. */
export async function watchStalls(pages: Preparable): Promise<void> {
  await pages.addInitScript((enough) => {
    const seen = { started: false, longest: 0, at: 0, from: 0, to: 0 };
    const sampler = {
      lastTime: -1,
      lastMove: 0,
      hungry: false,
      /** Is there more to come, and not enough of it in the buffer? */
      isHungry(video: HTMLVideoElement): boolean {
        const { buffered, currentTime, duration } = video;
        for (let range = 0; range < buffered.length; range++) {
          if (buffered.start(range) > currentTime || buffered.end(range) < currentTime) continue;
          const end = buffered.end(range);
          return end - currentTime < enough && end < duration - enough;
        }
        return true;
      },
      step() {
        const video = document.querySelector<HTMLElement & { nativeEl: HTMLVideoElement }>('p2p-video')?.nativeEl;
        const now = performance.now();
        const time = video?.currentTime ?? 0;
        if (video) this.hungry ||= this.isHungry(video);
        if (video && time > this.lastTime) {
          if (seen.started) {
            // What passed on the wall but not in the film; a page that was not let run misses frames, but is no stall.
            const stood = now - this.lastMove - (1000 * (time - this.lastTime)) / video.playbackRate;
            if (this.hungry && stood > seen.longest) Object.assign(seen, { longest: stood, at: this.lastTime });
          } else if (this.lastTime >= 0) Object.assign(seen, { started: true, from: time });
          seen.to = time;
          this.lastTime = time;
          this.lastMove = now;
          this.hungry = this.isHungry(video);
        }
        requestAnimationFrame(() => this.step());
      },
    };
    Object.assign(window, { stalls: seen });
    document.addEventListener('playing', () => sampler.step(), { capture: true, once: true });
  }, ENOUGH_AHEAD);
}

export const stallsOf = (page: AnyPage): Promise<Stalls> =>
  inPage(page, () => (window as unknown as { stalls: Stalls }).stalls);
