/** Two viewers who jump about wait no longer than with plain hls.js: issue B, D6. */
import assert from 'node:assert/strict';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import type { Page } from 'puppeteer-core';
import { launchTabbedChromium } from '../harness/browsers.ts';
import { Line } from '../harness/line.ts';
import { ROOT } from '../harness/serve.ts';
import { until } from '../harness/until.ts';
import { allPlay, followSteps, type Step } from './support/seeks.ts';
import { KIT, stage, type Stage } from './support/stage.ts';
import { writeStream } from './support/stuffing.ts';
import { meshStats } from './support/viewer.ts';

const PAIRS = 5;

/** Bits per second that cross to all tabs together: with plain hls.js not enough for all that they play. */
const LINE_RATE = 8e6;
const BITRATES = [400_000, 800_000, 1_600_000];
const COPIES = 3;

/** Where the twenty seeks go, seconds; one every three seconds, in one video and the other by turns. */
const TARGETS = [96, 30, 150, 72, 12, 120, 168, 48, 84, 6, 132, 108, 24, 160, 60, 140, 36, 100, 172, 54];
const SEEK_EVERY_MS = 3000;
const MINUTE = 60_000;

const SEEKS: readonly Step[] = TARGETS.map((to, index) => ({ at: index * SEEK_EVERY_MS, video: index % 2, to }));
const PIN: Step = { at: MINUTE / 2, rendition: 1 };
const STEPS: readonly Step[] = [...SEEKS, PIN].sort((a, b) => a.at - b.at);

/** How much more of hls.js's waiting is borne. */
const MOST = 1.1;

/** Less than this of waiting with hls.js, seconds a run, and the comparison says nothing. */
const LEAST_WAIT = 5;

type System = 'kit' | 'plain';

if (process.env['P2P_LONG'])
  test('twenty seeks in a minute, in two videos at two viewers one of whom has a background tab, make nobody wait longer than plain hls.js', async (t) => {
    const scene = await stage(t, [], `${ROOT}demo/media`, new Line(LINE_RATE));
    const urls = await writePages(scene);
    const waited: Record<System, number[]> = { kit: [], plain: [] };
    for (let pair = 0; pair < PAIRS; pair++)
      for (const system of pair % 2 === 0 ? (['plain', 'kit'] as const) : (['kit', 'plain'] as const))
        waited[system].push(await run(t, scene, system, urls[system]));
    const [ours, theirs] = [sum(waited.kit), sum(waited.plain)];
    t.diagnostic(`${PAIRS} runs: ${ours.toFixed(1)} s waited with the kit, ${theirs.toFixed(1)} s with plain hls.js`);
    assert.ok(theirs >= PAIRS * LEAST_WAIT, 'the line is so good that hls.js hardly waits');
    assert.ok(ours <= MOST * theirs, `${ours.toFixed(1)} s waited, ${theirs.toFixed(1)} s with plain hls.js`);
  });

/** One minute with fresh browsers. @returns seconds that the playheads of both viewers waited for media */
async function run(t: TestContext, scene: Stage, system: System, url: string): Promise<number> {
  const browsers = await Promise.all([launchTabbedChromium(), launchTabbedChromium()]);
  try {
    const [[background], ...front] = await Promise.all([
      browsers[0].browser.pages(),
      ...browsers.map(({ browser }) => browser.newPage()),
    ]);
    assert.ok(background);
    await begin(background, url); // before the others: with the kit it is the keeper
    await Promise.all(front.map((page) => begin(page, url)));
    assert.equal(await background.evaluate(() => document.visibilityState), 'hidden');
    scene.proxy.reset();
    const [waits] = await Promise.all([
      Promise.all(front.map((page) => followSteps(page, STEPS, MINUTE))),
      followSteps(background, [PIN], MINUTE),
    ]);
    const shared = system === 'kit' ? (await Promise.all(front.map(meshStats))).map(({ bytes }) => bytes.peers) : [];
    assert.ok(
      shared.every((bytes) => bytes > 0),
      'a viewer had nothing from a neighbour',
    );
    t.diagnostic(
      `${system}: ${waits.map(({ forMedia, forMachine }) => `${forMedia.toFixed(1)} s for media (${forMachine.toFixed(1)} s for the machine)`).join(', ')}; ` +
        `${scene.proxy.bytes(/\.ts$/)} bytes over the line${shared.length > 0 ? `, ${sum(shared)} from neighbours` : ''}`,
    );
    return sum(waits.map(({ forMedia }) => forMedia));
  } finally {
    await Promise.all(browsers.map((browser) => browser.close()));
  }
}

/** Opens the page in front and waits until its videos play. */
async function begin(page: Page, url: string): Promise<void> {
  await page.bringToFront();
  await page.goto(url, { waitUntil: 'domcontentloaded' });
  await until('both videos play', () => allPlay(page), { timeout: 60_000 });
}

/** The same two streams in a page with the kit and in one with plain hls.js. */
async function writePages(scene: Stage): Promise<Record<System, string>> {
  const renditions = BITRATES.map((bitrate, index) => ({ sample: `lesson/v${index}/index.m3u8`, bitrate }));
  const streams = [];
  for (const name of ['first', 'second']) streams.push(`/media/${await writeStream(scene, name, renditions, COPIES)}`);
  await copyFile(`${ROOT}node_modules/hls.js/dist/hls.light.min.js`, join(scene.media, 'hls.js'));
  const kit = streams.map((src) => `<p2p-video src="${src}" muted autoplay></p2p-video>`);
  const plain = `<script src="/media/hls.js"></script>
${streams.map(() => '<video muted autoplay></video>').join('\n')}
<script>
  window.players = ${JSON.stringify(streams)}.map((src, index) => {
    const hls = new Hls();
    hls.loadSource(src);
    hls.attachMedia(document.querySelectorAll('video')[index]);
    return hls;
  });
</script>`;
  return { kit: await scene.page('kit', `${KIT}\n${kit.join('\n')}`), plain: await scene.page('plain', plain) };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
