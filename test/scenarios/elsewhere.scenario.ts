/** What the manifest lists of another web origin goes through the service worker too, where the page reads it by CORS: issue C, C.1. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cp, stat } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import type { LoadOptions, P2PMesh } from '../../index.ts';
import { ROOT } from '../harness/serve.ts';
import { until } from '../harness/until.ts';
import { pageOf, PATIENT, person } from './support/person.ts';
import { KIT, stage, type Stage } from './support/stage.ts';
import { connected, controlled, inPage, type AnyPage } from './support/viewer.ts';

/** What the other web origin may give of the second viewer's assets. */
const MOST_FROM_ORIGIN = 0.05;

const MODULE = 'globalThis.moduleRan = true;\n';
const INTEGRITY = `sha256-${createHash('sha256').update(MODULE).digest('base64')}`;
const DATA = JSON.stringify({ lines: Array.from({ length: 2000 }, (_, i) => `line ${i}`) });
const STYLE = `@font-face { font-family: Square; src: url(../square.ttf); }
.letters { font-family: Square; width: 400px; }
`;

/** Of the other web origin, each read by CORS. */
const ASSETS = ['map.png', 'square.ttf', 'clip.mp4', 'own/style.css', 'own/module.js', 'own/data.json'];

const emptyOf = ({ proxy }: Stage): string => `${KIT}
<p2p-mesh manifest="${proxy.url}/p2p-manifest.json"></p2p-mesh>`;

const bodyOf = (cdn: Stage): string => `${emptyOf(cdn)}
<link rel="stylesheet" crossorigin href="${cdn.urlOf('own/style.css')}">
<img crossorigin src="${cdn.urlOf('map.png')}">
<img src="${cdn.urlOf('animation.gif')}">
<div class="letters">letters</div>
<script type="module" src="${cdn.urlOf('own/module.js')}" integrity="${INTEGRITY}"></script>
<script>window.data = fetch('${cdn.urlOf('own/data.json')}')</script>
<video crossorigin src="${cdn.urlOf('clip.mp4')}" muted preload="auto"></video>`;

for (const browser of ['Chromium', 'Firefox'] as const)
  test(`what is read by CORS from another web origin comes from the neighbour, what is not comes from there: ${browser}`, async (t) => {
    const [scene, cdn, a, page] = await Promise.all([stage(t), stage(t), person(t), pageOf(t, browser)]);
    await write(cdn);
    const url = await scene.page('cdn', emptyOf(cdn));
    await Promise.all([a.page, page].map((one) => controlled(one, url)));
    await scene.page('cdn', bodyOf(cdn));
    cdn.proxy.reset();
    await a.page.goto(`${url}?second`);
    await shown(a.page);
    for (const path of [/map\.png/, /data\.json/]) assert.equal(cdn.proxy.matching(path).length, 1, String(path));
    // A neighbour has what is not read by CORS, too.
    await load(a.page, cdn.urlOf('animation.gif'));
    await connected(page);
    cdn.proxy.reset();
    await page.goto(`${url}?second`);
    await shown(page);
    assert.deepEqual(await answerOf(page), { url: cdn.urlOf('own/data.json'), text: DATA });
    assert.deepEqual(await readable(page), { image: true, film: true });
    const sizes = await Promise.all(ASSETS.map(async (path) => (await stat(join(cdn.media, path))).size));
    const all = sizes.reduce((sum, size) => sum + size, 0);
    const isAsset = /^\/media\/(?!animation)/;
    const list = cdn.proxy.matching(isAsset).map(({ url, bytes, range }) => `${bytes} ${url} ${range ?? ''}`);
    const fromOrigin = cdn.proxy.bytes(isAsset);
    t.diagnostic(`${fromOrigin} of ${all} bytes from the other web origin`);
    assert.ok(fromOrigin <= MOST_FROM_ORIGIN * all, `${fromOrigin} of ${all} bytes:\n${list.join('\n')}`);
    assert.equal(cdn.proxy.bytes(/animation\.gif/), (await stat(join(cdn.media, 'animation.gif'))).size);
    // The page's own plain loads pass the worker, which has all of it here.
    await load(page, cdn.urlOf('map.png'), { urgent: true });
    assert.equal(cdn.proxy.matching(/map\.png/).length, 1);
  });

for (const browser of ['Chromium', 'Firefox'] as const)
  test(`an engine on the page’s main thread is not asked for what it asks another web origin for itself: ${browser}`, async (t) => {
    const [scene, cdn, page] = await Promise.all([stage(t), stage(t), pageOf(t, browser)]);
    const body = `<script>window.Worker = undefined</script>\n${emptyOf(cdn)}`;
    const url = await scene.page('main', body);
    await controlled(page, url);
    await scene.page('main', `${body}<img crossorigin src="${cdn.urlOf('map.png')}">`);
    cdn.proxy.reset();
    await page.goto(`${url}?second`, { waitUntil: 'domcontentloaded' });
    await until('the picture', () => inPage(page, () => document.querySelector('img')!.naturalWidth > 0));
    assert.equal(cdn.proxy.matching(/map\.png/).length, 1);
    const { size } = await stat(join(cdn.media, 'map.png'));
    const { bytes } = await until('its count', async () => {
      const stats = await inPage(page, () => document.querySelector<P2PMesh>('p2p-mesh')!.mesh.stats);
      return stats.bytes.origin >= size && stats;
    });
    assert.equal(bytes.origin, size);
  });

async function write(cdn: Stage): Promise<void> {
  await cp(`${ROOT}demo/media/clip.mp4`, join(cdn.media, 'clip.mp4'));
  await cdn.write('own/style.css', STYLE);
  await cdn.write('own/module.js', MODULE);
  await cdn.write('own/data.json', DATA);
}

/** Waits until each asset is there, as a visitor would see it. */
async function shown(page: AnyPage): Promise<void> {
  const seen = (): Promise<Record<string, boolean>> =>
    inPage(page, async () => ({
      images: [...document.images].every(({ naturalWidth }) => naturalWidth > 0),
      style: getComputedStyle(document.querySelector('.letters')!).width === '400px',
      font: [...document.fonts].some(({ family, status }) => family === 'Square' && status === 'loaded'),
      module: (globalThis as unknown as { moduleRan?: boolean }).moduleRan === true,
      data: (await (window as unknown as { data: Promise<Response> }).data).ok,
      film: document.querySelector('video')!.readyState >= 3,
    }));
  await until(
    'all of the page',
    async () => {
      const parts = await seen();
      if (Object.values(parts).every(Boolean)) return true;
      throw new Error(JSON.stringify(parts));
    },
    PATIENT,
  );
}

/** By the engine; `urgent`: from the origin at once. */
const load = (page: AnyPage, url: string, options: LoadOptions = {}): Promise<void> =>
  inPage(
    page,
    async ({ url, options }) => {
      await document.querySelector<P2PMesh>('p2p-mesh')!.mesh.load(url, options);
    },
    { url, options },
  );

const answerOf = (page: AnyPage): Promise<{ url: string; text: string }> =>
  inPage(page, async () => {
    const { data } = window as unknown as { data: Promise<Response> };
    const response = await data;
    return { url: response.url, text: await response.text() };
  });

/** May a script read the pixels, as CORS allows? */
const readable = (page: AnyPage): Promise<{ image: boolean; film: boolean }> =>
  inPage(page, () => {
    const context = document.createElement('canvas').getContext('2d')!;
    const seen = { image: false, film: false };
    context.drawImage(document.images[0]!, 0, 0);
    seen.image = context.getImageData(0, 0, 1, 1).data.length === 4;
    context.drawImage(document.querySelector('video')!, 0, 0);
    seen.film = context.getImageData(0, 0, 1, 1).data.length === 4;
    return seen;
  });
