/** Seeks along a fixed list in a page of several videos, of the kit or of plain hls.js, and measures from within how long their playheads waited for media. */
import type Hls from 'hls.js';
import { inPage, type AnyPage } from './viewer.ts';

/** One thing that a viewer does, ms after the beginning. */
export type Step =
  | { readonly at: number; readonly video: number; readonly to: number }
  /** All videos keep to this rendition from now on. */
  | { readonly at: number; readonly rendition: number };

/** Seconds, of all videos of the page together. */
export interface Waits {
  /** A playhead stood still with next to nothing buffered ahead of it. */
  readonly forMedia: number;
  /** It stood still although there was enough: the machine did not decode it. */
  readonly forMachine: number;
}

/** With so much in the buffer a playhead that stands still waits for the machine, seconds. */
const ENOUGH_AHEAD = 0.3;

const SAMPLE_MS = 50;

/** Do all videos of the page play? */
export const allPlay = (page: AnyPage): Promise<boolean> =>
  inPage(page, () =>
    [...document.querySelectorAll('video, p2p-video')].every(
      (element) => (element as HTMLVideoElement).currentTime > 0.5,
    ),
  );

/** Does all steps and watches until `until`, ms after the beginning. All videos play by then. */
export function followSteps(page: AnyPage, steps: readonly Step[], until: number): Promise<Waits> {
  return inPage(
    page,
    async ({ steps, until, enough, sample }) => {
      const players = [...document.querySelectorAll('video, p2p-video')].map((element, index) => ({
        media: (element as unknown as { nativeEl?: HTMLVideoElement }).nativeEl ?? (element as HTMLVideoElement),
        hls: (element as unknown as { api?: Hls }).api ?? (window as unknown as { players: Hls[] }).players[index],
        at: performance.now(),
        time: -1,
        hungry: false,
      }));
      const waits = { forMedia: 0, forMachine: 0 };
      const sampler = {
        isHungry({ buffered, currentTime }: HTMLVideoElement): boolean {
          for (let range = 0; range < buffered.length; range++)
            if (buffered.start(range) <= currentTime && buffered.end(range) > currentTime + enough) return false;
          return true;
        },
        look(player: (typeof players)[number]) {
          const now = performance.now();
          const { currentTime } = player.media;
          const hungry = this.isHungry(player.media);
          if (currentTime === player.time)
            waits[hungry || player.hungry ? 'forMedia' : 'forMachine'] += (now - player.at) / 1000;
          Object.assign(player, { at: now, time: currentTime, hungry });
        },
      };
      const begin = performance.now();
      const timer = setInterval(() => {
        for (const player of players) sampler.look(player);
      }, sample);
      for (const step of [...steps, { at: until }]) {
        await new Promise((resolve) => setTimeout(resolve, begin + step.at - performance.now()));
        if ('to' in step) players[step.video]!.media.currentTime = step.to;
        if ('rendition' in step) for (const { hls } of players) hls!.nextLevel = step.rendition;
      }
      clearInterval(timer);
      return waits;
    },
    { steps, until, enough: ENOUGH_AHEAD, sample: SAMPLE_MS },
  );
}
