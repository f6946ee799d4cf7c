/**
 * Is the first frame of a lone viewer's <p2p-video> as early as plain hls.js's? Alternating pairs of cold visits (a fresh context of one
 * browser: no cache, no service worker) to two pages of one server, from the navigation to the first frame on the screen.
 *
 * npm run bench -- first-frame [pairs, default 20]
 * Ends with 1 when the median of ours is more than 10 % later.
 */
import { copyFile, cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';
import { CHROMIUM_FLAGS } from '../scripts/lib/chromium-flags.mjs';
import { FIXTURE_MEDIA, ROOT, serve } from '../test/harness/serve.ts';
import { until } from '../test/harness/until.ts';
import { medianOrNaN } from './statistics.ts';

const LIMIT = 1.1;
const PLAYLIST = '/media/lesson/v1/index.m3u8';

const PAGES = {
  plain: `<!doctype html><title>plain</title>
<script src="/media/hls.js"></script>
<video muted autoplay playsinline width="640"></video>
<script>
  const hls = new Hls();
  hls.loadSource('${PLAYLIST}');
  hls.attachMedia(document.querySelector('video'));
</script>`,
  ours: `<!doctype html><title>ours</title>
<script type="module" src="/p2p-elements/p2p-video.js"></script>
<p2p-video src="${PLAYLIST}" muted autoplay playsinline width="640"></p2p-video>`,
} as const;

type PageName = keyof typeof PAGES;

/** When things happened in one visit, milliseconds since the navigation. */
interface Visit {
  readonly firstFrame: number;
  /** Start of each request that the page itself made, by the last part of its path. */
  readonly requests: Readonly<Record<string, number>>;
}

const pairs = Number(process.argv[2] ?? 20);
const media = await mkdtemp(join(tmpdir(), 'p2p-bench-'));
await cp(FIXTURE_MEDIA, media, { recursive: true });
await copyFile(`${ROOT}node_modules/hls.js/dist/hls.light.min.js`, join(media, 'hls.js'));
for (const [name, html] of Object.entries(PAGES)) await writeFile(join(media, `${name}.html`), html);
const server = await serve({ media, flags: ['--log-level', 'warn'] });
const browser = await chromium.launch({
  executablePath: process.env['CHROME_PATH'] ?? '/usr/bin/chromium',
  args: [...CHROMIUM_FLAGS, '--autoplay-policy=no-user-gesture-required'],
});
try {
  process.exitCode = await compare(browser);
} finally {
  await browser.close();
  await server.kill();
  await rm(media, { recursive: true, force: true });
}

async function compare(browser: Browser): Promise<number> {
  const visits: Record<PageName, Visit[]> = { plain: [], ours: [] };
  for (const name of ['plain', 'ours'] as const) await visit(browser, name); // warms up server and browser
  for (let pair = 0; pair < pairs; pair++) {
    // whoever goes second may find a busier machine: each is first in turn
    const order: readonly PageName[] = pair % 2 === 0 ? ['plain', 'ours'] : ['ours', 'plain'];
    for (const name of order) visits[name].push(await visit(browser, name));
  }
  const [plain, ours] = [visits.plain, visits.ours].map((all) =>
    medianOrNaN(all.map(({ firstFrame }) => firstFrame)),
  ) as [number, number];
  console.log('When a visit begins its requests, ms since the navigation (medians):');
  for (const name of ['plain', 'ours'] as const) console.log(`  ${name}: ${waterfall(visits[name])}`);
  const ratio = ours / plain;
  console.log(
    `First frame, median of ${pairs}: plain hls.js ${plain.toFixed(0)} ms, <p2p-video> ${ours.toFixed(0)} ms.`,
  );
  console.log(`Ratio: ${ratio.toFixed(3)} (at most ${LIMIT.toFixed(2)})`);
  return ratio <= LIMIT ? 0 : 1;
}

async function visit(browser: Browser, name: PageName): Promise<Visit> {
  const context = await browser.newContext();
  await context.addInitScript(noteFirstFrame);
  const page = await context.newPage();
  await page.goto(`${server.url}/media/${name}.html`, { waitUntil: 'commit' });
  const firstFrame = await until(
    'the first frame',
    () => page.evaluate(() => (window as { firstFrame?: number }).firstFrame),
    { timeout: 30_000 },
  );
  const requests = await page.evaluate(() =>
    Object.fromEntries(
      performance.getEntriesByType('resource').map(({ name, startTime }) => [new URL(name).pathname, startTime]),
    ),
  );
  await context.close();
  return { firstFrame, requests };
}

/** Runs in the page, so no function in it may have a name (esbuild's helper is not there). `<p2p-video>` fires the events of the video inside it. */
function noteFirstFrame(): void {
  document.addEventListener(
    'loadstart',
    ({ target }) => {
      const element = target as HTMLVideoElement & { readonly nativeEl?: HTMLVideoElement };
      (element.nativeEl ?? element).requestVideoFrameCallback((now) => Object.assign(window, { firstFrame: now }));
    },
    { capture: true, once: true },
  );
}

function waterfall(visits: readonly Visit[]): string {
  const paths = new Set(visits.flatMap(({ requests }) => Object.keys(requests)));
  return [...paths]
    .map(
      (path) =>
        [
          path.slice(path.lastIndexOf('/') + 1),
          medianOrNaN(visits.flatMap(({ requests }) => requests[path] ?? [])),
        ] as const,
    )
    .sort(([, a], [, b]) => a - b)
    .slice(0, 20)
    .map(([name, at]) => `${name} ${at.toFixed(0)}`)
    .join(', ');
}
