/**
 * How fast does an asset of 64 MB go from one Chromium process to another by the mesh, with all checks on, compared with a bare data
 * channel between the same two pages? Alternating pairs; for each the receiving page is opened anew with an empty store.
 *
 * npm run bench -- transfer [pairs, default 7]
 * Ends with 1 when the median of the pairs' ratios is below 0.85, or when the main thread of the receiving page was busy for more than 2 %
 * of the time.
 */
import { randomFillSync, webcrypto } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CDPSession, Page } from 'playwright-core';
import { nameOf } from '../protocol/digest.ts';
import type { AssetName } from '../protocol/ids.ts';
import { launchChromium } from '../test/harness/browsers.ts';
import { serve } from '../test/harness/serve.ts';
import { bareTransfer, connectBare } from './transfer/bare-channel.ts';
import { emptyStore, kept, kitTransfer, offered, openKit, PAGE } from './transfer/kit.ts';
import { medianOrNaN } from './statistics.ts';

const BYTES = 64_000_000;
const MIN_RATIO = 0.85;
const MAX_BUSY = 0.02;

/** One transfer as the receiving page sees it. */
interface Sample {
  /** Megabytes per second. */
  readonly goodput: number;
  /** Part of the time that its main thread was busy. */
  readonly busy: number;
}

interface Stage {
  readonly sender: Page;
  readonly receiver: Page;
  readonly pageUrl: string;
  readonly assetUrl: string;
  readonly name: AssetName;
}

const pairs = Number(process.argv[2] ?? 7);
const media = await mkdtemp(join(tmpdir(), 'p2p-bench-'));
const asset = randomFillSync(new Uint8Array(BYTES));
await writeFile(join(media, 'asset.bin'), asset);
await writeFile(join(media, 'page.html'), PAGE);
const server = await serve({ media, flags: ['--log-level', 'warn'] });
const browsers = await Promise.all([launchChromium(), launchChromium()]);
try {
  const [sender, receiver] = (await Promise.all(browsers.map((browser) => browser.newPage()))) as [Page, Page];
  const name = await nameOf(asset, async (bytes) => new Uint8Array(await webcrypto.subtle.digest('SHA-256', bytes)));
  process.exitCode = await compare({
    sender,
    receiver,
    pageUrl: `${server.url}/media/page.html`,
    assetUrl: `${server.url}/media/asset.bin`,
    name,
  });
} finally {
  await Promise.all(browsers.map((browser) => browser.close()));
  await server.kill();
  await rm(media, { recursive: true, force: true });
}

async function compare(stage: Stage): Promise<number> {
  await openKit(stage.sender, stage.pageUrl, 0);
  const seed = await kitTransfer(stage.sender, stage.assetUrl, stage.name);
  if (seed.source !== 'origin') throw new Error(`The sender had the asset from ${seed.source}.`);
  const all: { bare: Sample; kit: Sample }[] = [];
  for (let pair = 0; pair <= pairs; pair++) {
    const sample = await measurePair(stage, pair % 2 === 0);
    // the first warms both browsers up
    if (pair === 0) continue;
    all.push(sample);
    const { bare, kit } = sample;
    console.log(
      `pair ${pair}: bare ${bare.goodput.toFixed(1)} MB/s, mesh ${kit.goodput.toFixed(1)} MB/s, ` +
        `ratio ${(kit.goodput / bare.goodput).toFixed(3)}; main thread busy ${percent(bare.busy)} and ${percent(kit.busy)}`,
    );
  }
  const bare = medianOrNaN(all.map((pair) => pair.bare.goodput));
  const kit = medianOrNaN(all.map((pair) => pair.kit.goodput));
  const ratio = medianOrNaN(all.map((pair) => pair.kit.goodput / pair.bare.goodput));
  const busy = medianOrNaN(all.map((pair) => pair.kit.busy));
  console.log(`Goodput, median of ${pairs}: bare ${bare.toFixed(1)} MB/s, mesh ${kit.toFixed(1)} MB/s.`);
  console.log(`Ratio of the medians ${(kit / bare).toFixed(3)}.`);
  console.log(`Median of the ratios ${ratio.toFixed(3)} (at least ${MIN_RATIO.toFixed(2)})`);
  console.log(`Main thread of the receiving page busy ${percent(busy)} of the time (at most ${percent(MAX_BUSY)})`);
  return ratio >= MIN_RATIO && busy <= MAX_BUSY ? 0 : 1;
}

async function measurePair(stage: Stage, bareFirst: boolean): Promise<{ bare: Sample; kit: Sample }> {
  const { sender, receiver, pageUrl, assetUrl, name } = stage;
  await emptyStore(receiver, pageUrl);
  await openKit(receiver, pageUrl, 1);
  await offered(receiver, name);
  await connectBare(sender, receiver);
  const cdp = await receiver.context().newCDPSession(receiver);
  await cdp.send('Performance.enable');
  const runBare = (): Promise<Sample> => sampled(cdp, () => bareTransfer(receiver, BYTES));
  const runKit = (): Promise<Sample> =>
    sampled(cdp, async () => {
      const { milliseconds, source, bytes } = await kitTransfer(receiver, assetUrl, name);
      if (source !== 'peers' || bytes !== BYTES) throw new Error(`${bytes} bytes came from ${source}.`);
      return milliseconds;
    });
  // Whoever goes second may find a busier machine: each is first in turn.
  const first = await (bareFirst ? runBare() : runKit());
  if (!bareFirst) await kept(receiver); // what writes to the disk is no part of a bare channel
  const second = await (bareFirst ? runKit() : runBare());
  await cdp.detach();
  return bareFirst ? { bare: first, kit: second } : { bare: second, kit: first };
}

async function sampled(cdp: CDPSession, run: () => Promise<number>): Promise<Sample> {
  const before = await taskSeconds(cdp);
  const milliseconds = await run();
  const busy = (await taskSeconds(cdp)) - before;
  return { goodput: BYTES / 1000 / milliseconds, busy: (1000 * busy) / milliseconds };
}

/** What the page's main thread has spent in tasks so far. */
async function taskSeconds(cdp: CDPSession): Promise<number> {
  const { metrics } = await cdp.send('Performance.getMetrics');
  const found = metrics.find(({ name }) => name === 'TaskDuration');
  if (!found) throw new Error('The browser has no TaskDuration.');
  return found.value;
}

function percent(part: number): string {
  return `${(100 * part).toFixed(1)} %`;
}
