/** What was seen once can be seen again without a network: issue C, D7. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { P2PAsset } from '../../index.ts';
import { ASSET_CACHE } from '../../protocol/asset-cache.ts';
import { launchFirefox } from '../harness/browsers.ts';
import { ROOT } from '../harness/serve.ts';
import { until } from '../harness/until.ts';
import { person, PATIENT } from './support/person.ts';
import { KIT, SEGMENTS as FIXTURE_SEGMENTS, stage } from './support/stage.ts';
import { imagesShown, inPage, meshStats, playedToEnd, playhead, skim, type AnyPage } from './support/viewer.ts';

/** Segments of the demo's top rendition. */
const SEGMENTS = 16;

for (const browser of ['Chromium', 'Firefox'] as const)
  test(`the demo is reloaded without a network after all of it was seen: page, pictures and video: ${browser}`, async (t) => {
    const [scene, page] = await Promise.all([stage(t, [], `${ROOT}demo/media`), pageOf(t, browser)]);
    await page.goto(`${scene.proxy.url}/?autoplay`);
    await skim(page);
    await imagesShown(page);
    await until('the service worker in control', () => inPage(page, () => navigator.serviceWorker.controller !== null));
    await until(
      'all of it on the disk',
      async () => {
        const kept = await keptOf(page);
        const files = ['/demo.css', '/demo.js', '/icon.svg', '/p2p-elements/engine-worker.js', '/media/map.png'];
        const missing = [...files, ...kept.loaded].filter((path) => !kept.assets.includes(path));
        const { documents, bodies, assets } = kept;
        if (documents.includes('/') && missing.length === 0 && bodies >= assets.length + SEGMENTS) return true;
        throw new Error(JSON.stringify({ documents, missing, assets, bodies }));
      },
      { timeout: 30_000 },
    );
    await scene.proxy.dropAll();
    await page.reload();
    assert.equal(await inPage(page, () => document.styleSheets.length), 1);
    assert.deepEqual(await imagesShown(page), ['store', 'store']);
    await until('the video plays', async () => (await playhead(page)).time > 3);
    await skim(page);
    await until('the light', () =>
      inPage(page, () => document.querySelector<HTMLElement>('#light')!.dataset['state'] === 'gone'),
    );
    const { bytes, originReachable } = await meshStats(page);
    t.diagnostic(JSON.stringify(bytes));
    assert.deepEqual([bytes.origin, bytes.peers, originReachable], [0, 0, false]);
    await scene.proxy.listen();
    await until('the mesh again', async () => (await meshStats(page)).signaling === 'joined', { timeout: 30_000 });
  });

test('a lesson that was brought ahead plays without a network, though nobody has seen it; what is cleared is gone', async (t) => {
  const [scene, { page }] = await Promise.all([stage(t), person(t)]);
  const asset = `<p2p-asset src="/media/lesson/index.m3u8"></p2p-asset>`;
  await page.goto(await scene.page('ahead', `${KIT}<p2p-mesh></p2p-mesh>${asset}`));
  const { result, loaded, total } = await until(
    'the lesson on this device',
    async () => {
      const seen = await inPage(page, () => {
        const { result, loaded, total } = document.querySelector<P2PAsset>('p2p-asset')!;
        return { result, loaded, total };
      });
      return seen.result && seen;
    },
    PATIENT,
  );
  t.diagnostic(JSON.stringify(result));
  assert.deepEqual([result!.missing, result!.assets, loaded], [[], 4 + 3 * FIXTURE_SEGMENTS.length, total]);
  const asked = new Set(scene.proxy.matching(/^\/media\/lesson\/.*\.ts/).map(({ url }) => url));
  assert.equal(asked.size, 3 * FIXTURE_SEGMENTS.length);
  await scene.proxy.dropAll();
  await inPage(page, () => {
    const video = Object.assign(document.createElement('p2p-video'), { muted: true, autoplay: true });
    document.body.append(Object.assign(video, { src: '/media/lesson/index.m3u8' }));
  });
  await skim(page);
  assert.ok((await playedToEnd(page)) > 23);
  const { bytes } = await meshStats(page);
  assert.ok(bytes.store > 0);
  const kept = await inPage(
    page,
    async (cacheName) => {
      const before = (await (await caches.open(cacheName)).keys()).length;
      await document.querySelector<P2PAsset>('p2p-asset')!.mesh.clear();
      return [before, (await (await caches.open(cacheName)).keys()).length, (await caches.keys()).length];
    },
    ASSET_CACHE,
  );
  assert.ok(kept[0]! >= 3 * FIXTURE_SEGMENTS.length);
  assert.deepEqual(kept.slice(1), [0, 1]);
});

async function pageOf(t: TestContext, browser: 'Chromium' | 'Firefox'): Promise<AnyPage> {
  if (browser === 'Chromium') return (await person(t)).page;
  const firefox = await launchFirefox();
  t.after(() => firefox.close());
  return firefox.browser.newPage();
}

interface Kept {
  /** Paths of kept pages. */
  readonly documents: string[];
  /** Paths of listed files whose bodies are kept. */
  readonly assets: string[];
  /** Paths of listed files that the page has loaded. */
  readonly loaded: string[];
  /** All bodies, those of segments too. */
  readonly bodies: number;
}

const keptOf = (page: AnyPage): Promise<Kept> =>
  inPage(
    page,
    async (cacheName) => {
      const manifest = (await (await fetch('/p2p-manifest.json')).json()) as {
        assets: Record<string, { digest?: string }>;
      };
      const [documents, assets] = await Promise.all([caches.open('p2p-elements-documents-1'), caches.open(cacheName)]);
      const keys = (await assets.keys()).map(({ url }) => url);
      return {
        documents: (await documents.keys()).map(({ url }) => new URL(url).pathname),
        assets: Object.entries(manifest.assets)
          .filter(([, { digest }]) => keys.some((key) => digest !== undefined && key.includes(digest)))
          .map(([path]) => path),
        loaded: performance
          .getEntriesByType('resource')
          .map(({ name }) => new URL(name).pathname)
          .filter((path) => path in manifest.assets),
        bodies: keys.length,
      };
    },
    ASSET_CACHE,
  );
