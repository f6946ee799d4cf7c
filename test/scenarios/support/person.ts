/** A person who looks at a page: a Chromium of their own, what its console said, and waits for what they see. */
import type { TestContext } from 'node:test';
import type { Page } from 'playwright-core';
import type { MeshStats, P2PImg, P2PVideo } from '../../../index.ts';
import { launchChromium, launchFirefox, type Chromium, type ChromiumOptions } from '../../harness/browsers.ts';
import { until } from '../../harness/until.ts';
import type { AnyPage } from './viewer.ts';

/** Long, for the machine may be busy; what is waited for normally comes within a second or two. */
export const PATIENT = { timeout: 30_000 } as const;

export interface PersonOptions extends ChromiumOptions {
  /** Runs in each page before its own scripts. */
  readonly before?: () => void;
}

export class Person {
  readonly page: Page;
  readonly chromium: Chromium;
  /** Warnings and errors of the console, and errors that nobody caught. */
  readonly complaints: string[] = [];

  constructor(chromium: Chromium, page: Page) {
    this.chromium = chromium;
    this.page = page;
    page.on('console', (message) => {
      if (message.type() === 'warning' || message.type() === 'error') this.complaints.push(message.text());
    });
    page.on('pageerror', (error) => this.complaints.push(`uncaught: ${error.message}`));
  }

  /** What the kit said, and what it failed to catch. The browser's own lines about failed requests are not in it. */
  get warnings(): string[] {
    return this.complaints.filter((line) => /^(p2p-elements|uncaught):/.test(line));
  }

  async goto(url: string): Promise<void> {
    await this.page.goto(url, { waitUntil: 'domcontentloaded' });
  }

  /** `mesh.stats` of the page. */
  stats(): Promise<MeshStats> {
    return this.page.evaluate(() => document.querySelector<P2PVideo>('p2p-video, p2p-img')!.mesh.stats);
  }

  statsUntil(what: string, wanted: (stats: MeshStats) => boolean): Promise<MeshStats> {
    return until(
      what,
      async () => {
        const stats = await this.stats();
        if (wanted(stats)) return stats;
        throw new Error(JSON.stringify(stats));
      },
      PATIENT,
    );
  }

  connected(peers = 1): Promise<MeshStats> {
    return this.statsUntil(`${peers} neighbours`, (stats) => stats.peers >= peers);
  }

  /** Waits until a `<p2p-img>` has its picture. @returns where it came from */
  async imageShown(selector = 'p2p-img'): Promise<string | null> {
    const image = this.page.locator(selector);
    const isShown = (): Promise<boolean> =>
      image.evaluate((element) => (element as P2PImg).complete && (element as P2PImg).nativeEl.naturalWidth > 0);
    await until(`the image ${selector}`, isShown, PATIENT);
    return image.evaluate((element) => (element as P2PImg).source);
  }

  /** Waits until all 24 s of the fixture are buffered: each segment was loaded and taken by the decoder. */
  async videoBuffered(selector = 'p2p-video'): Promise<void> {
    const video = this.page.locator(selector);
    const isBuffered = (): Promise<boolean> =>
      video.evaluate((element) => {
        const { buffered } = element as HTMLVideoElement | P2PVideo;
        return buffered.length === 1 && buffered.end(0) > 23.5;
      });
    await until(`the whole video ${selector} in the buffer`, isBuffered, PATIENT);
  }
}

/** Ends with the test. */
export async function person(t: TestContext, { before, ...options }: PersonOptions = {}): Promise<Person> {
  const chromium = await launchChromium(options);
  // nobody needs its goodbyes, which take a while
  t.after(() => chromium.kill());
  if (before) await chromium.context.addInitScript(before);
  return new Person(chromium, await chromium.newPage());
}

/** A page in a browser of its own, which ends with the test. */
export async function pageOf(t: TestContext, browser: 'Chromium' | 'Firefox'): Promise<AnyPage> {
  if (browser === 'Chromium') return (await person(t)).page;
  const firefox = await launchFirefox();
  t.after(() => firefox.close());
  return firefox.browser.newPage();
}
