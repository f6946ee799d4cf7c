/** All tabs of a browser are one peer: issue C, C.6. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { Page } from 'puppeteer-core';
import type { MeshFace, P2PMesh } from '../../index.ts';
import { launchChromium, launchFirefox, launchTabbedChromium } from '../harness/browsers.ts';
import { until } from '../harness/until.ts';
import { keptOf, loadAll, settled, writeFiles } from './support/disk.ts';
import { person, PATIENT } from './support/person.ts';
import { KIT, stage, stageOfSites } from './support/stage.ts';
import { stallsOf, watchStalls } from './support/stalls.ts';
import { connected, imagesShown, inPage, meshStats, type AnyPage } from './support/viewer.ts';

const EMPTY = `${KIT}
<p2p-mesh></p2p-mesh>`;

const IMAGE = `${KIT}
<p2p-mesh></p2p-mesh>
<p2p-img src="/media/map.png"></p2p-img>`;

for (const browser of ['Chromium', 'Firefox'] as const)
  test(`the tabs of a browser are one peer, and each counts what it used itself: ${browser}`, async (t) => {
    const [scene, neighbour] = await Promise.all([stage(t), person(t)]);
    const [empty, image] = await Promise.all([scene.page('empty', EMPTY), scene.page('image', IMAGE)]);
    await neighbour.goto(image);
    await neighbour.imageShown();
    const newTab = await tabsOf(t, browser);
    const first = await newTab();
    await controlled(first, empty);
    await connected(first);
    const [second, third] = [await newTab(), await newTab()];
    await second.goto(empty);
    await third.goto(empty);
    for (const tab of [first, second, third])
      await until(
        'three tabs of one engine',
        async () => {
          const stats = await meshStats(tab);
          if (stats.tabs === 3 && stats.peers === 1) return true;
          throw new Error(JSON.stringify(stats));
        },
        PATIENT,
      );
    await inPage(third, () =>
      document.body.append(Object.assign(document.createElement('p2p-img'), { src: '/media/map.png' })),
    );
    assert.deepEqual(await imagesShown(third), ['peers']);
    const { bytes } = await until('what the tab used', async () => {
      const stats = await meshStats(third);
      return stats.bytes.peers > 0 && stats;
    });
    await until('what the peer used', async () => (await meshStats(first)).total.peers >= bytes.peers);
    const [a, b, c] = await Promise.all([first, second, third].map(meshStats));
    t.diagnostic(JSON.stringify([a, b, c]));
    assert.equal((await neighbour.stats()).peers, 1);
    assert.equal(new Set([a, b, c].map((stats) => stats!.peer)).size, 1);
    assert.deepEqual([a!.bytes.peers, b!.bytes.peers], [0, 0]);
    assert.ok(c!.bytes.peers > 0);
  });

async function tabsOf(t: TestContext, browser: 'Chromium' | 'Firefox'): Promise<() => Promise<AnyPage>> {
  if (browser === 'Chromium') {
    const chromium = await launchChromium();
    t.after(() => chromium.close());
    return () => chromium.newPage();
  }
  const firefox = await launchFirefox();
  t.after(() => firefox.close());
  return () => firefox.browser.newPage();
}

/** Waits until the service worker answers for the page. */
async function controlled(page: AnyPage, url: string): Promise<void> {
  await page.goto(url);
  await until('the service worker in control', () => inPage(page, () => navigator.serviceWorker.controller !== null));
}

test('tabs that say different sizes of what is kept share an engine; one that keeps nothing has its own, and empties the disk', async (t) => {
  const [scene, { chromium, page }] = await Promise.all([stage(t), person(t)]);
  const files = await writeFiles(scene, 1, [9e5, 8e5, 7e5, 6e5, 5e5]);
  const pageOf = (size: string): Promise<string> =>
    scene.page(size, `${KIT}<p2p-mesh max-storage="${size}"></p2p-mesh>`);
  await controlled(page, await pageOf('8mb'));
  // Opens the disk at once.
  for (const file of files) await settled(page, file);
  assert.equal((await keptOf(page, files)).length, files.length);
  const [smaller, none] = [await chromium.context.newPage(), await chromium.context.newPage()];
  await smaller.goto(await pageOf('1mb'));
  const tabs = (page: AnyPage, count: number): Promise<boolean> =>
    until(`${count} tabs of one engine`, async () => (await meshStats(page)).tabs === count, PATIENT);
  for (const tab of [page, smaller]) await tabs(tab, 2);
  await none.goto(await pageOf('none'));
  await tabs(none, 1);
  await until('an empty disk', async () => (await keptOf(none, files)).length === 0, PATIENT);
  for (const tab of [none, page, smaller])
    for (const door of ['mesh', 'fetch'] as const) {
      const { right, wrong, failed } = await loadAll(tab, files, door);
      assert.deepEqual([right.length, wrong, failed], [files.length, [], []]);
    }
  await settled(none, files[0]!);
  assert.deepEqual(await keptOf(none, files), []);
  await tabs(page, 2);
});

/** How the tab that leads goes away, and how long the test lets nobody answer, and the playhead stand still, ms. */
const ENDS = ['closed', 'crashed', 'frozen', 'navigated away'] as const;
const MOST_UNANSWERED_MS = 2000;
const MOST_STALLED_MS = 1000;
const TABS = 5;
const CYCLES = process.env['P2P_LONG'] === '1' ? 20 : 4;

test(`one of ${TABS} tabs leads, and when it is ${ENDS.join(', ')} another takes over while a film plays, ${CYCLES} times`, async (t) => {
  const scene = await stageOfSites(t);
  const [empty, film] = await Promise.all([
    scene.page('empty', EMPTY),
    scene.page('film', `${KIT}<p2p-mesh></p2p-mesh><p2p-video src="/live/index.m3u8" muted autoplay></p2p-video>`),
  ]);
  const chromium = await launchTabbedChromium();
  t.after(() => chromium.close());
  const open = async (url: string): Promise<Page> => {
    const page = await chromium.browser.newPage();
    await watchStalls({ addInitScript: (run, argument) => page.evaluateOnNewDocument(run, argument) });
    await page.evaluateOnNewDocument(watchAnswers);
    await page.goto(url, { waitUntil: 'domcontentloaded' });
    return page;
  };
  const idle = [await open(empty)];
  await controlled(idle[0]!, empty);
  while (idle.length < TABS - 1) idle.push(await open(empty));
  const play = async (): Promise<Page> => {
    const page = await open(film);
    await until('the film', async () => (await stallsOf(page)).started, PATIENT);
    return page;
  };
  let player = await play();
  const peers = sampled(() => scene.server.signaling.peers);
  t.after(() => peers.end());
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    const tabs = [...idle, player];
    await joined(tabs);
    let leader = await leaderOf(tabs);
    if (leader === player) {
      idle.push(player);
      player = await play();
      leader = await leaderOf([...idle, player]);
    }
    const kind = ENDS[cycle % ENDS.length]!;
    idle.splice(idle.indexOf(leader), 1);
    await inPage(player, () => Object.assign((window as unknown as Watched).unanswered, { longest: 0, answers: 0 }));
    // At any moment of the film.
    await new Promise((resolve) => setTimeout(resolve, 2000 * Math.random()));
    const thaw = await end(leader, kind);
    await until('another tab that leads', async () => (await leaderOf([...idle, player])) !== leader, PATIENT);
    await joined([...idle, player]);
    const unanswered = await until('an answer of the new engine', () =>
      inPage(player, () => {
        const { longest, answers, askedAt } = (window as unknown as Watched).unanswered;
        // One that was asked after the engine changed, or is still open, counts too.
        return answers > 0 && performance.now() - askedAt < 1000 && longest;
      }),
    );
    const stalls = await stallsOf(player);
    t.diagnostic(
      `${kind}: nobody answered for ${unanswered.toFixed(0)} ms, longest stall ${stalls.longest.toFixed(0)} ms`,
    );
    assert.ok(unanswered <= MOST_UNANSWERED_MS, `${kind}: nobody answered for ${unanswered.toFixed(0)} ms`);
    assert.ok(stalls.longest <= MOST_STALLED_MS, `${kind}: stood still for ${stalls.longest.toFixed(0)} ms`);
    if (thaw) {
      await thaw();
      await joined([...idle, player, leader]);
      assert.notEqual(await leaderOf([...idle, player, leader]), leader);
      await leader.close();
    }
    idle.push(await open(empty));
    await player.bringToFront();
  }
  assert.ok(peers.most <= 1, `${peers.most} peers at once`);
});

interface Watched {
  readonly unanswered: { readonly longest: number; readonly answers: number; readonly askedAt: number };
}

/** Runs in each page: asks the engine all the time, and notes how long it had to wait for an answer. */
function watchAnswers(): void {
  const asker = {
    longest: 0,
    answers: 0,
    askedAt: 0,
    async ask(mesh: MeshFace) {
      this.askedAt = performance.now();
      await mesh.held([]);
      this.answers++;
      this.longest = Math.max(this.longest, performance.now() - this.askedAt);
      setTimeout(() => void this.ask(mesh), 20);
    },
  };
  Object.assign(window, { unanswered: asker });
  addEventListener('load', () => void asker.ask(document.querySelector<P2PMesh>('p2p-mesh')!.mesh));
}

/** Waits until all use one engine, which is at the server. */
async function joined(tabs: readonly Page[]): Promise<void> {
  for (const tab of tabs)
    await until(
      `${tabs.length} tabs of one engine`,
      async () => {
        const { tabs: count, signaling } = await meshStats(tab);
        if (count === tabs.length && signaling === 'joined') return true;
        throw new Error(`${count} tabs, ${signaling}`);
      },
      PATIENT,
    );
}

/** The tab that has the engine. */
function leaderOf(tabs: readonly Page[]): Promise<Page> {
  return until(
    'one tab with an engine',
    () => {
      const leaders = tabs.filter((tab) => tab.workers().some((worker) => worker.url().includes('engine-worker')));
      return leaders.length === 1 && leaders[0]!;
    },
    PATIENT,
  );
}

/** @returns where it can come back: how */
async function end(tab: Page, kind: (typeof ENDS)[number]): Promise<(() => Promise<void>) | null> {
  const cdp = await tab.createCDPSession();
  switch (kind) {
    case 'closed':
      await tab.close();
      return null;
    case 'crashed':
      // It has no time to answer.
      cdp.send('Page.crash').catch(() => undefined);
      await new Promise((resolve) => tab.once('error', resolve));
      await tab.close();
      return null;
    case 'frozen':
      await cdp.send('Page.setWebLifecycleState', { state: 'frozen' });
      return async () => {
        await cdp.send('Page.setWebLifecycleState', { state: 'active' });
      };
    case 'navigated away':
      await tab.goto('about:blank');
      await tab.close();
      return null;
    default:
      return kind satisfies never;
  }
}

/** Looks at a number all the time. */
function sampled(look: () => number): { readonly most: number; end: () => void } {
  const seen = { most: 0, end: () => clearInterval(timer) };
  const timer = setInterval(() => (seen.most = Math.max(seen.most, look())), 10);
  return seen;
}
