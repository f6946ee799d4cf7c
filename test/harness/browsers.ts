/** Browsers for the scenarios: each call starts a process of its own with a fresh profile. scripts/test.mjs sets CHROME_PATH and FIREFOX_PATH. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext, type Page } from 'playwright-core';
import type { Browser as PuppeteerBrowser } from 'puppeteer-core';
import { AWAKE_FLAGS, CHROMIUM_FLAGS } from '../../scripts/lib/chromium-flags.mjs';
import { isAlive, processes } from '../../scripts/lib/processes.mjs';
import { forgetProcess, noteProcess } from './leftovers.ts';
import { until } from './until.ts';

export interface ChromiumOptions {
  /** More command line flags. */
  readonly args?: readonly string[];
  /** A profile folder to use and to keep. Default: a fresh one, removed at the end. */
  readonly profile?: string;
  /** The network namespace that it runs in. Default: ours. */
  readonly namespace?: string;
  /** Accept any certificate. */
  readonly ignoreHTTPSErrors?: boolean;
}

export interface Chromium {
  readonly pid: number;
  readonly context: BrowserContext;
  /** A page; the first one is the tab that the browser opened with. */
  newPage(): Promise<Page>;
  /** The end of all its processes at once by SIGKILL, as when a laptop's battery dies: no page gets to say goodbye, and nothing that is being written is finished. */
  kill(): Promise<void>;
  /** An orderly end. Harmless after `kill`. */
  close(): Promise<void>;
}

const CHROMIUM = process.env['CHROME_PATH'] ?? '/usr/bin/chromium';

/** What playwright takes for the browser. */
async function runnerIn(namespace: string, folder: string): Promise<string> {
  const path = join(folder, 'chromium.sh');
  await writeFile(path, `#!/bin/sh\nexec ip netns exec ${namespace} '${CHROMIUM}' "$@"\n`, { mode: 0o755 });
  return path;
}

export async function launchChromium({
  args = [],
  profile,
  namespace,
  ignoreHTTPSErrors = false,
}: ChromiumOptions = {}): Promise<Chromium> {
  const folder = profile ?? (await mkdtemp(join(tmpdir(), 'p2p-chromium-')));
  const context = await chromium.launchPersistentContext(folder, {
    executablePath: namespace === undefined ? CHROMIUM : await runnerIn(namespace, folder),
    args: [...CHROMIUM_FLAGS, ...AWAKE_FLAGS, ...args],
    headless: true,
    ignoreHTTPSErrors,
    viewport: { width: 1000, height: 700 },
  });
  const pid = mainProcessOf(folder);
  noteProcess(pid, folder);
  const ended = new Promise<void>((resolve) => context.once('close', () => resolve()));
  let fresh = context.pages()[0];
  const tidy = async (): Promise<void> => {
    await until(`the end of process ${pid}`, () => !isAlive(pid));
    forgetProcess(pid);
    if (profile === undefined) await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  };
  return {
    pid,
    context,
    newPage: async () => {
      const page = fresh ?? (await context.newPage());
      fresh = undefined;
      return page;
    },
    kill: async () => {
      // playwright starts each browser as the leader of a process group.
      if (isAlive(pid)) process.kill(-pid, 'SIGKILL');
      await ended;
      await tidy();
    },
    close: async () => {
      await context.close().catch(() => undefined); // killed before
      await tidy();
    },
  };
}

/** Timers, pictures and priority of a tab that is not in front: playwright and puppeteer both switch off that these are held back. */
const WAKEFUL_DEFAULTS = AWAKE_FLAGS.filter((flag) => flag.startsWith('--disable-'));

/** Most tests never need it, and it takes its time. */
const puppeteer = (): Promise<typeof import('puppeteer-core')> => import('puppeteer-core');

/** A browser that puppeteer drives. */
export interface PuppeteerProcess {
  readonly pid: number;
  readonly browser: PuppeteerBrowser;
  close(): Promise<void>;
}

export interface TabbedChromiumOptions {
  /** False: what drives the browser does not look at requests. While it does, the browser keeps their bodies for it. Default: true. */
  readonly networkEnabled?: boolean;
}

/** A Chromium of which only the tab in front is in view, as a viewer's; the others are hidden and slowed down. playwright shows them all. */
export async function launchTabbedChromium({
  networkEnabled = true,
}: TabbedChromiumOptions = {}): Promise<PuppeteerProcess> {
  const { launch } = await puppeteer();
  const browser = await launch({
    networkEnabled,
    executablePath: process.env['CHROME_PATH'] ?? '/usr/bin/chromium',
    args: [...CHROMIUM_FLAGS, ...AWAKE_FLAGS.filter((flag) => !WAKEFUL_DEFAULTS.includes(flag))],
    ignoreDefaultArgs: WAKEFUL_DEFAULTS,
    headless: true,
    defaultViewport: { width: 1000, height: 700 },
  });
  return noted(browser, 'puppeteer_dev_chrome_profile');
}

/** Firefox over WebDriver BiDi. `preferences` are about:config entries. */
export async function launchFirefox(preferences: Readonly<Record<string, unknown>> = {}): Promise<PuppeteerProcess> {
  const { launch } = await puppeteer();
  const browser = await launch({
    browser: 'firefox',
    executablePath: process.env['FIREFOX_PATH'] ?? '/usr/bin/firefox-esr',
    headless: true,
    extraPrefsFirefox: { 'media.autoplay.default': 0, 'media.autoplay.blocking_policy': 0, ...preferences },
  });
  return noted(browser, 'firefox');
}

/** @param word is in its command line */
function noted(browser: PuppeteerBrowser, word: string): PuppeteerProcess {
  const pid = browser.process()?.pid;
  if (pid === undefined) throw new Error('The browser has no process.');
  noteProcess(pid, word);
  return {
    pid,
    browser,
    close: async () => {
      await browser.close();
      forgetProcess(pid);
    },
  };
}

/** playwright does not tell it; the profile's path is on the command line, and only child processes have a `--type`. */
function mainProcessOf(profile: string): number {
  const found = processes().find(
    ({ args }) => args.includes(`--user-data-dir=${profile}`) && !args.includes('--type='),
  );
  if (found === undefined) throw new Error(`No Chromium runs with the profile ${profile}.`);
  return found.pid;
}
