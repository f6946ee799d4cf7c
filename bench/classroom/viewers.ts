/** A viewer: one Chromium in its own namespace, with the gauge in its page. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { chromium, type Page } from 'playwright-core';
import { AWAKE_FLAGS, CHROMIUM_FLAGS } from '../../scripts/lib/chromium-flags.mjs';
import type { PageReading } from './gauge/page.ts';
import { killAll, viewerNamespace } from './namespaces.ts';
import { ORIGIN_URL } from './systems.ts';

const MAX_WARNINGS = 20;
const VIEWPORT = { width: 320, height: 240 } as const;

export interface LaunchOptions {
  readonly chromium: string;
  readonly flags: readonly string[];
  /** Folder for temporary files. */
  readonly temporary: string;
  readonly isVerbose: boolean;
}

/** waiting → watching → killed | crashed */
export type ViewerState = 'waiting' | 'watching' | 'killed' | 'crashed';

export class Viewer {
  readonly number: number;
  readonly namespace: string;
  state: ViewerState = 'waiting';
  /** The last one that could be had. */
  reading: PageReading | undefined;
  /** Seconds after the run's start. */
  startedAt: number | undefined;
  /** Warnings and errors of the page's console. */
  readonly warnings: string[] = [];
  readonly #page: Page;
  #isPolling = false;

  private constructor(number: number, page: Page, isVerbose: boolean) {
    this.number = number;
    this.namespace = viewerNamespace(number);
    this.#page = page;
    page.on('crash', () => (this.state = 'crashed'));
    page.on('console', (message) => {
      if (isVerbose) console.error(`v${number}: ${message.text()}`);
      const isWarning = message.type() === 'warning' || message.type() === 'error';
      if (isWarning && this.warnings.length < MAX_WARNINGS) this.warnings.push(message.text().slice(0, 300));
    });
  }

  static async launch(number: number, options: LaunchOptions): Promise<Viewer> {
    const folder = join(options.temporary, 'browsers');
    mkdirSync(folder, { recursive: true });
    const executablePath = join(folder, `v${number}.sh`);
    const inside = `exec ip netns exec ${viewerNamespace(number)} '${options.chromium}' "$@"`;
    writeFileSync(executablePath, `#!/bin/sh\n${inside}\n`, { mode: 0o755 });
    const browser = await chromium.launch({
      executablePath,
      // as over HTTPS: service worker, crypto.subtle
      args: [
        ...CHROMIUM_FLAGS,
        ...AWAKE_FLAGS,
        `--unsafely-treat-insecure-origin-as-secure=${ORIGIN_URL}`,
        ...options.flags,
      ],
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
    });
    const context = await browser.newContext({ viewport: VIEWPORT });
    await context.addInitScript({ content: gaugeScript() });
    return new Viewer(number, await context.newPage(), options.isVerbose);
  }

  /** Opens the page and does not wait for it. @param at seconds after the run's start */
  open(url: string, at: number): void {
    this.state = 'watching';
    this.startedAt = at;
    this.reading = undefined;
    this.#page.goto(url, { waitUntil: 'commit', timeout: 0 }).catch((error: unknown) => {
      if (this.state === 'watching') this.warnings.push(String(error).slice(0, 300));
    });
  }

  /** Leaves the page; caches stay. */
  async leave(): Promise<void> {
    await this.#page.goto('about:blank');
    this.state = 'waiting';
    this.warnings.length = 0;
  }

  /** Reads the gauge, unless the page does not answer. */
  async poll(): Promise<void> {
    if (this.state !== 'watching' || this.#isPolling) return;
    this.#isPolling = true;
    try {
      const text = await this.#page.evaluate<string | null>('JSON.stringify(window.gauge?.read() ?? null)');
      const reading = JSON.parse(text ?? 'null') as PageReading | null;
      if (reading !== null) this.reading = reading;
    } catch {
      // it is navigating, or was just killed: the last reading stays
    } finally {
      this.#isPolling = false;
    }
  }

  /** As a crash does it: nothing is said to anybody. */
  kill(): void {
    this.state = 'killed';
    killAll(this.namespace);
  }
}

let bundled: string | undefined;

function gaugeScript(): string {
  const entry = fileURLToPath(new URL('gauge/page.ts', import.meta.url));
  bundled ??= buildSync({ entryPoints: [entry], bundle: true, write: false, format: 'iife', target: 'es2022' })
    .outputFiles[0]?.text;
  if (bundled === undefined) throw new Error('esbuild made nothing of the gauge.');
  return bundled;
}
