/** What a scenario asks of a page with the kit, in Chromium (playwright) and in Firefox (puppeteer). */
import type { Page } from 'playwright-core';
import type { Page as FirefoxPage } from 'puppeteer-core';
import type { MeshStats } from '../../../index.ts';
import type { P2PImg, P2PVideo } from '../../../index.ts';
import { until } from '../../harness/until.ts';

export type AnyPage = Page | FirefoxPage;

/** Runs a function in the page. It must not refer to anything outside itself, nor have named functions inside. */
export function inPage<Result, Argument = undefined>(
  page: AnyPage,
  run: (argument: Argument) => Result | Promise<Result>,
  argument?: Argument,
): Promise<Result> {
  return (page as { evaluate(run: unknown, argument: unknown): Promise<Result> }).evaluate(run, argument);
}

/** `mesh.stats` of the page. */
export const meshStats = (page: AnyPage): Promise<MeshStats> =>
  inPage(page, () => document.querySelector<P2PVideo>('p2p-video, p2p-img, p2p-mesh, p2p-stats')!.mesh.stats);

/** Waits until the page has so many open connections. */
export const connected = (page: AnyPage, peers = 1): Promise<MeshStats> =>
  until(`${peers} connections`, async () => {
    const stats = await meshStats(page);
    return stats.peers >= peers && stats;
  });

/** Opens a page and waits until the service worker answers for it. */
export async function controlled(page: AnyPage, url: string): Promise<void> {
  await page.goto(url);
  await until('the service worker in control', () => inPage(page, () => navigator.serviceWorker.controller !== null));
}

/** Where the page's first video is. */
export const playhead = (
  page: AnyPage,
): Promise<{ time: number; duration: number; ended: boolean; error: string | null }> =>
  inPage(page, () => {
    const { currentTime, duration, ended, error } = document.querySelector<P2PVideo>('p2p-video')!;
    return { time: currentTime, duration, ended, error: error?.message ?? null };
  });

/** Waits until the page's first video has played to its end. @returns its duration, seconds */
export async function playedToEnd(page: AnyPage, timeout = 60_000): Promise<number> {
  const { duration } = await until(
    'the end of the video',
    async () => {
      const seen = await playhead(page);
      return seen.ended && seen;
    },
    { timeout },
  );
  return duration;
}

/** Waits until every <p2p-img> of the page shows a picture. @returns where the bytes came from, in document order */
export const imagesShown = (page: AnyPage): Promise<(string | null)[]> =>
  until('the pictures', async () => {
    const images = await inPage(page, () =>
      [...document.querySelectorAll<P2PImg>('p2p-img')].map(({ source, complete, naturalWidth }) => ({
        source,
        shown: complete && naturalWidth > 0,
      })),
    );
    return images.every(({ shown }) => shown) && images.map(({ source }) => source);
  });

/**
 * Saves time: lets the page's first video load at its own speed, as the deadlines of its segments count, then plays it faster.
 * For videos that fit into the player's buffer.
 */
export async function skim(page: AnyPage, rate = 16): Promise<void> {
  const isLoaded = (): Promise<boolean> =>
    inPage(page, () => {
      const { buffered, duration } = document.querySelector<P2PVideo>('p2p-video')!;
      return buffered.length === 1 && buffered.end(0) > duration - 0.5;
    });
  await until('the whole video in the buffer', isLoaded, { timeout: 60_000 });
  await inPage(
    page,
    (rate) => {
      const video = document.querySelector<P2PVideo>('p2p-video')!;
      video.defaultPlaybackRate = video.playbackRate = rate;
    },
    rate,
  );
}
