/** A page that is left open takes no more and no more memory: issue B, D6. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import type { Page } from 'puppeteer-core';
import type { P2PVideo } from '../../index.ts';
import { STORE_BYTES } from '../../mesh/core/limits.ts';
import { launchTabbedChromium } from '../harness/browsers.ts';
import { ROOT } from '../harness/serve.ts';
import { until } from '../harness/until.ts';
import { readMemory, type Memory } from './support/memory.ts';
import { KIT, stage, type Stage } from './support/stage.ts';
import { writeStream } from './support/stuffing.ts';
import { inPage, meshStats, playhead } from './support/viewer.ts';

const MINUTE = 60_000;

/** Minutes after the beginning between which memory is measured, at first and at the end. */
const FIRST = [4.5, 5.5] as const;
const LAST = [29.5, 30.5] as const;

/** Milliseconds between two measurements, and how much the median at the end may be of that at first. */
const MEASURE_EVERY_MS = 6000;
const MOST = 1.1;

/** What two viewers have from each other in 25 minutes of 1 Mbit/s, bytes, if half of it crosses the line twice. */
const LEAST_SHARED = 90e6;

/** Files that together are more than a store holds. */
const FILLING = Array.from({ length: 9 }, (_, index) => `filling/${index}.bin`);

/** What was seen of a viewer at one time. */
interface Look extends Memory {
  readonly film: number;
  readonly fromNeighbours: number;
}

interface Watching {
  readonly name: string;
  readonly page: Page;
  /** Of the browser. */
  readonly pid: number;
}

if (process.env['P2P_LONG'])
  test(
    'half an hour of looped live play takes no more memory at its end than at minute 5',
    { concurrency: true },
    (t) =>
      Promise.all([
        // After the first loop all comes from the store: what then grows is not the film.
        t.test('a loop that fits into the store', async (t) => {
          await watch(t, await stage(t, ['--log-level', 'error'], `${ROOT}demo/media`), false);
        }),
        // Nothing ever comes from the store: each segment is brought, handed on, kept, and pushed out in the end, with all that is told of it.
        t.test('a loop that is larger than the store', async (t) => {
          const scene = await stage(t, ['--log-level', 'error'], `${ROOT}demo/media`);
          await enlarge(scene);
          await watch(t, scene, true);
        }),
      ]).then(() => undefined),
  );

/** The store holds 128 MiB: this is 144 MB, and comes round after 19 min. */
async function enlarge(scene: Stage): Promise<void> {
  await writeStream(scene, 'large', [{ sample: 'lesson/v0/index.m3u8', bitrate: 1_000_000 }], 18);
  await rm(join(scene.media, 'lesson'), { recursive: true });
  await rm(join(scene.media, 'pinned.m3u8')); // it is of the lesson
  for (const name of FILLING) await scene.write(name, randomBytes(15e6));
  const areListed = async (): Promise<boolean> => {
    const manifest = await (await fetch(`${scene.server.url}/p2p-manifest.json`)).text();
    return FILLING.every((name) => manifest.includes(name));
  };
  await until('the digests of what fills the stores', areListed, { timeout: MINUTE });
}

/** Fills the viewer's store with other things, for the stream alone would take a quarter of an hour to. */
async function fillStore(page: Page): Promise<void> {
  const kept = await inPage(
    page,
    async (names) => {
      const { mesh } = document.querySelector<P2PVideo>('p2p-video')!;
      let bytes = 0;
      for (const name of names) {
        const { body, shared } = await mesh.load(`/media/${name}`);
        if (shared) bytes += body.byteLength;
      }
      return bytes;
    },
    FILLING,
  );
  assert.ok(kept > STORE_BYTES, 'the store is not full');
}

/** @param isLarge is the loop larger than the store? */
async function watch(t: TestContext, scene: Stage, isLarge: boolean): Promise<void> {
  const url = await scene.page('live', `${KIT}<p2p-video src="/live/index.m3u8" muted autoplay></p2p-video>`);
  const watching = await Promise.all(['A', 'B'].map((name) => open(t, name, url)));
  for (const { page } of watching) if (isLarge) await fillStore(page);
  const begin = performance.now();
  const first = await looks(watching, begin, FIRST);
  const last = await looks(watching, begin, LAST);
  for (const [index, { name }] of watching.entries()) {
    const [before, after] = [first[index] ?? [], last[index] ?? []];
    const [was, is] = [median(before, 'renderer'), median(after, 'renderer')];
    t.diagnostic(
      `${name}: ${shown(was)} at minute 5, ${shown(is)} at the end, ${((100 * is) / was - 100).toFixed(1)} % more; ` +
        `scripts ${shown(median(before, 'scripts'))} and ${shown(median(after, 'scripts'))}; ${before.length} and ${after.length} measurements`,
    );
    const filmed = median(after, 'film') - median(before, 'film');
    assert.ok(filmed > 60 * 24, `${name} played ${filmed.toFixed(0)} s in 25 min`);
    assert.ok(is <= MOST * was, `${name} takes ${shown(is)}, at minute 5 it was ${shown(was)}`);
  }
  const shared = (all: readonly Look[][]): number =>
    sum(all.map((looks) => Math.max(...looks.map((look) => look.fromNeighbours))));
  t.diagnostic(`${shown(shared(last) - shared(first))} from neighbours in 25 min`);
  if (isLarge) assert.ok(shared(last) - shared(first) > LEAST_SHARED, 'they did not go on sharing');
}

async function open(t: TestContext, name: string, url: string): Promise<Watching> {
  const { browser, pid, close } = await launchTabbedChromium({ networkEnabled: false });
  t.after(close);
  const page = (await browser.pages())[0] ?? (await browser.newPage());
  await page.goto(url, { waitUntil: 'domcontentloaded' });
  await until('the stream plays', async () => (await playhead(page)).time > 1, { timeout: MINUTE });
  return { name, page, pid };
}

/** Measures all viewers now and then between two moments. */
async function looks(
  watching: readonly Watching[],
  begin: number,
  [from, to]: readonly [number, number],
): Promise<Look[][]> {
  const seen: Look[][] = watching.map(() => []);
  await until(
    `minute ${to}`,
    async () => {
      const minute = (performance.now() - begin) / MINUTE;
      if (minute < from) return false;
      for (const [index, one] of watching.entries()) seen[index]?.push(await look(one));
      return minute >= to;
    },
    { timeout: (to + 2) * MINUTE, interval: MEASURE_EVERY_MS },
  );
  return seen;
}

async function look({ page, pid }: Watching): Promise<Look> {
  const [memory, { time: film }, { bytes }] = await Promise.all([
    readMemory(pid, page),
    playhead(page),
    meshStats(page),
  ]);
  return { ...memory, film, fromNeighbours: bytes.peers };
}

function median(looks: readonly Look[], of: keyof Look): number {
  const sorted = looks.map((look) => look[of]).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

const shown = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
