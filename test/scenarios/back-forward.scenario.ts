/** A page that the browser keeps while another is shown puts its connections down, and takes them up when it comes back: issue C, C.6. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { Page } from 'puppeteer-core';
import type { P2PMesh } from '../../index.ts';
import { launchFirefox, launchTabbedChromium } from '../harness/browsers.ts';
import { until } from '../harness/until.ts';
import { person } from './support/person.ts';
import { KIT, stage } from './support/stage.ts';
import { connected, controlled, inPage, meshStats } from './support/viewer.ts';

interface Kept {
  readonly shown: boolean[];
}

for (const [browser, launch] of [
  ['Chromium', launchTabbedChromium],
  ['Firefox', launchFirefox],
] as const)
  test(`a page in the back/forward cache holds no connection, and shares again when it is shown again: ${browser}`, async (t) => {
    const [scene, other] = await Promise.all([stage(t), person(t)]);
    const page = await pageOf(t, launch);
    const url = await scene.page('kept', `${KIT}<p2p-mesh></p2p-mesh>`);
    // a worker that takes the page over while it is kept is the end of that
    await controlled(page, url);
    await other.page.goto(url);
    await connected(page);
    await connected(other.page);
    await inPage(page, () => {
      const shown: boolean[] = [];
      addEventListener('pageshow', ({ persisted }) => shown.push(persisted));
      Object.assign(window, { kept: { shown } });
    });
    await page.goto(await scene.page('next', ''));
    await until('a neighbour that is gone', async () => (await meshStats(other.page)).peers === 0);
    await page.goBack();
    const kept = await inPage(page, () => (window as unknown as { kept?: Kept }).kept?.shown ?? 'another page');
    // Firefox decides before the page hears that it goes, and keeps none that has a connection or a Web Lock: it is loaded anew.
    if (browser === 'Chromium') assert.deepEqual(kept, [true], `not kept for ${await inPage(page, whyNotKept)}`);
    await connected(page);
    await connected(other.page);
    // What the other has loaded meanwhile comes from there.
    await inPage(other.page, loadMap);
    scene.proxy.reset();
    assert.equal(await inPage(page, loadMap), 'peers');
    assert.equal(scene.proxy.bytes(/map\.png/), 0);
    assert.equal((await meshStats(page)).peers, 1);
  });

/** What the browser says of it. */
const whyNotKept = (): string => JSON.stringify(performance.getEntriesByType('navigation')[0]);

/** @returns where it came from */
async function loadMap(): Promise<string> {
  return (await document.querySelector<P2PMesh>('p2p-mesh')!.mesh.load('/media/map.png')).source;
}

async function pageOf(t: TestContext, launch: typeof launchFirefox | typeof launchTabbedChromium): Promise<Page> {
  const { browser, close } = await launch();
  t.after(close);
  return browser.newPage();
}
