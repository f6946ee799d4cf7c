/**
 * What the service worker costs a page. Three pages of one Chromium, each of a web origin of its own: one with the kit, one without any worker, and one
 * with the smallest that there can be, which answers from the Cache API. Alternating pairs.
 *
 * npm run bench -- door [pairs, default 30]
 * Ends with 1 when a request that can't be shared takes more than 1.05 times as long as without a worker (median of the pairs' ratios), or when an
 * asset of 1 MB on the disk is given at less than 0.9 times the rate of the smallest worker.
 */
import { randomFillSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { ASSET_CACHE } from '../protocol/asset-cache.ts';
import { launchChromium } from '../test/harness/browsers.ts';
import { serve } from '../test/harness/serve.ts';
import { until } from '../test/harness/until.ts';
import { medianOrNaN } from './statistics.ts';

const MOST_UNLISTED = 1.05;
const LEAST_STORED = 0.9;
/** Requests of one sample, one after the other. */
const REQUESTS = 10;

const SMALLEST = `addEventListener('install', (event) => event.waitUntil(caches.open('x').then((cache) => cache.add('/media/asset.bin'))));
addEventListener('activate', (event) => event.waitUntil(clients.claim()));
addEventListener('fetch', (event) => {
  if (event.request.url.endsWith('asset.bin')) event.respondWith(caches.match(event.request));
});`;

const pairs = Number(process.argv[2] ?? 30);
const media = await mkdtemp(join(tmpdir(), 'p2p-bench-'));
const files: Record<string, string | Uint8Array> = {
  'asset.bin': randomFillSync(new Uint8Array(1_000_000)),
  'small.bin': randomFillSync(new Uint8Array(10_000)),
  'kit.html': '<script type="module" src="/p2p-elements/p2p-mesh.js"></script><p2p-mesh></p2p-mesh>',
  'plain.html': '<title>plain</title>',
  'smallest.html': '<script>navigator.serviceWorker.register("/media/smallest.js")</script>',
  'smallest.js': SMALLEST,
};
for (const [name, content] of Object.entries(files)) await writeFile(join(media, name), content);
const servers = await Promise.all([1, 2, 3].map(() => serve({ media, flags: ['--log-level', 'warn'] })));
const browser = await launchChromium();
try {
  const [kit, plain, smallest] = (await Promise.all(
    ['kit', 'plain', 'smallest'].map(async (name, i) => {
      const page = await browser.context.newPage();
      await page.goto(`${servers[i]?.url}/media/${name}.html`);
      return page;
    }),
  )) as [Page, Page, Page];
  for (const page of [kit, smallest])
    await until('its worker', () => page.evaluate(() => navigator.serviceWorker.controller !== null));
  await stored(kit);
  const unlisted = await ratios(kit, plain, (n) => `/media/small.bin?n=${n}`);
  const bare = await ratios(smallest, plain, (n) => `/media/small.bin?m=${n}`);
  const disk = await ratios(smallest, kit, () => '/media/asset.bin');
  console.log(
    `Not shareable, seen by the worker: ${unlisted.toFixed(3)} times as long as without one (at most ${MOST_UNLISTED})`,
  );
  console.log(
    `1 MB from the disk: ${disk.toFixed(3)} times the rate of the smallest worker (at least ${LEAST_STORED})`,
  );
  console.log(`The same, seen by the smallest worker: ${bare.toFixed(3)} times`);
  process.exitCode = unlisted <= MOST_UNLISTED && disk >= LEAST_STORED ? 0 : 1;
} finally {
  await browser.close();
  await Promise.all(servers.map((server) => server.kill()));
  await rm(media, { recursive: true, force: true });
}

/** Waits until the asset is on the disk. */
async function stored(page: Page): Promise<void> {
  await page.evaluate(() => fetch('/media/asset.bin').then((answer) => answer.arrayBuffer()));
  const isStored = (): Promise<boolean> =>
    page.evaluate(
      async (name) => (await (await caches.open(name)).keys()).some(({ url }) => url.endsWith('-1000000')),
      ASSET_CACHE,
    );
  await until('the asset on the disk', isStored, { timeout: 30_000 });
}

/** Median over the pairs of the time in the first page by that in the second. */
async function ratios(first: Page, second: Page, url: (n: number) => string): Promise<number> {
  const all: number[] = [];
  let n = 0;
  const sample = (page: Page): Promise<number> =>
    time(
      page,
      Array.from({ length: REQUESTS }, () => url(n++)),
    );
  for (let pair = 0; pair <= pairs; pair++) {
    // Whoever goes second may find a busier machine: each is first in turn.
    const [a, b] =
      pair % 2 === 0
        ? [await sample(first), await sample(second)]
        : [await sample(second), await sample(first)].reverse();
    // The first warms both up.
    if (pair > 0) all.push((a ?? NaN) / (b ?? NaN));
  }
  return medianOrNaN(all);
}

/** Milliseconds for these, one after the other. */
function time(page: Page, urls: readonly string[]): Promise<number> {
  return page.evaluate(async (all) => {
    const start = performance.now();
    for (const url of all) await (await fetch(url)).arrayBuffer();
    return performance.now() - start;
  }, urls);
}
