/** A page of plain tags shares as one of elements does: issue C, D1. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cp, stat } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { ROOT } from '../harness/serve.ts';
import { until } from '../harness/until.ts';
import { MAX_SILENT_VISITS } from '../../sw/limits.ts';
import { pageOf, person } from './support/person.ts';
import { KIT, stage, type Stage } from './support/stage.ts';
import { connected, controlled, inPage, meshStats, type AnyPage } from './support/viewer.ts';

/** What the server may give of the second viewer's assets. */
const MOST_FROM_SERVER = 0.05;

const MODULE = 'globalThis.moduleRan = true;\n';
const INTEGRITY = `sha256-${createHash('sha256').update(MODULE).digest('base64')}`;
const DATA = JSON.stringify({ lines: Array.from({ length: 2000 }, (_, i) => `line ${i}`) });

/** All the plain ways to an asset; no element but the one that says what may be shared. */
const BODY = `${KIT}
<p2p-mesh share="/media/*" exclude="/media/own/*.html"></p2p-mesh>
<link rel="stylesheet" href="/media/own/style.css">
<img src="/media/map.png">
<div class="background">letters</div>
<script type="module" src="/media/own/module.js" integrity="${INTEGRITY}"></script>
<script>window.data = fetch('/media/own/data.json').then((response) => response.json())</script>
<video src="/media/clip.mp4" muted preload="auto"></video>`;

const EMPTY = `${KIT}
<p2p-mesh></p2p-mesh>`;

const STYLE = `@font-face { font-family: Square; src: url(/media/square.ttf); }
.background { font-family: Square; background: url(/media/animation.gif); width: 400px; height: 225px; }
`;

const ASSETS = [
  'map.png',
  'animation.gif',
  'square.ttf',
  'clip.mp4',
  'own/style.css',
  'own/module.js',
  'own/data.json',
];

for (const browser of ['Chromium', 'Firefox'] as const)
  test(`images, backgrounds, fonts, modules, fetch() and a film with a seek come from the neighbour, by nothing but <p2p-mesh>: ${browser}`, async (t) => {
    const [scene, a, page] = await Promise.all([stage(t), person(t), pageOf(t, browser)]);
    await write(scene);
    // The same page before an edit, so that neither store nor the browser's own cache have anything of it.
    const url = await scene.page('plain', EMPTY);
    await Promise.all([a.page, page].map((one) => controlled(one, url)));
    await scene.page('plain', BODY);
    await a.page.goto(`${url}?second`);
    await shown(a.page);
    await connected(page);
    scene.proxy.reset();
    await page.goto(`${url}?second`);
    await shown(page);
    await seek(page, 9);
    await seek(page, 2);
    const sizes = await Promise.all(ASSETS.map(async (path) => (await stat(join(scene.media, path))).size));
    const all = sizes.reduce((sum, size) => sum + size, 0);
    const isAsset = /^\/media\/(?!own\/.*\.html)/;
    const list = scene.proxy.matching(isAsset).map(({ url, bytes, range }) => `${bytes} ${url} ${range ?? ''}`);
    const fromServer = scene.proxy.bytes(isAsset);
    t.diagnostic(`${fromServer} of ${all} bytes from the server: ${JSON.stringify(await meshStats(page))}`);
    assert.ok(
      fromServer <= MOST_FROM_SERVER * all,
      `${fromServer} of ${all} bytes from the server:\n${list.join('\n')}`,
    );
  });

test('a site with a service worker of its own has it do the kit’s part too', async (t) => {
  const [scene, a, b] = await Promise.all([stage(t), person(t), person(t)]);
  await scene.write('own/worker.js', OWN_WORKER);
  const body = `${KIT}
<p2p-mesh worker="/media/own/worker.js"></p2p-mesh>
<script>navigator.serviceWorker.register('/media/own/worker.js', { type: 'module' })</script>`;
  const url = await scene.page('site', body);
  await Promise.all([a, b].map(({ page }) => controlled(page, url)));
  await connected(b.page);
  const image = `${body}<img src="/media/map.png">`;
  await scene.page('site', image);
  const isShown = ({ page }: typeof a): Promise<boolean> =>
    inPage(page, () => document.querySelector('img')!.naturalWidth > 0);
  await a.page.goto(`${url}?2`);
  await until('the picture', () => isShown(a));
  await connected(b.page);
  scene.proxy.reset();
  await b.page.goto(`${url}?2`);
  await until('the picture', () => isShown(b));
  assert.equal(scene.proxy.bytes(/map\.png/), 0);
  assert.equal(await inPage(b.page, async () => (await fetch('/media/own/answer')).text()), 'of the site');
  const scripts = await inPage(b.page, async () =>
    (await navigator.serviceWorker.getRegistrations()).map(({ active }) => new URL(active!.scriptURL).pathname),
  );
  assert.deepEqual(scripts, ['/media/own/worker.js']);
  assert.deepEqual([...a.warnings, ...b.warnings], []);
});

test('where the pages have the kit no more the worker goes, and all that it kept', async (t) => {
  const [scene, { page }] = await Promise.all([stage(t), person(t)]);
  const url = await scene.page('former', `${EMPTY}<img src="/media/map.png">`);
  await controlled(page, url);
  await page.goto(`${url}?2`);
  await scene.page('former', '<img src="/media/map.png">');
  const left = (): Promise<number[]> =>
    inPage(page, async () => [
      (await navigator.serviceWorker.getRegistrations()).length,
      (await caches.keys()).filter((name) => name.startsWith('p2p-elements')).length,
    ]);
  assert.equal((await left())[0], 1);
  for (let visit = 0; visit < MAX_SILENT_VISITS; visit++) {
    await page.goto(`${url}?${3 + visit}`);
    // The browser itself gives a picture twice without asking the worker.
    assert.equal(await inPage(page, async () => (await fetch('/media/map.png')).status), 200);
  }
  await until('nothing left', async () => {
    const counts = await left();
    if (counts.every((count) => count === 0)) return true;
    throw new Error(counts.join());
  });
});

const OWN_WORKER = `import { handleFetch } from '/p2p-elements/sw.js';
addEventListener('install', () => skipWaiting());
addEventListener('activate', (event) => event.waitUntil(clients.claim()));
addEventListener('fetch', (event) => {
  if (handleFetch(event)) return;
  if (event.request.url.endsWith('/answer')) event.respondWith(new Response('of the site'));
});
`;

async function write(scene: Stage): Promise<void> {
  await cp(`${ROOT}demo/media/clip.mp4`, join(scene.media, 'clip.mp4'));
  await scene.write('own/style.css', STYLE);
  await scene.write('own/module.js', MODULE);
  await scene.write('own/data.json', DATA);
}

/** Waits until each asset is there, as a visitor would see it. */
async function shown(page: AnyPage): Promise<void> {
  const seen = (): Promise<Record<string, boolean>> =>
    inPage(page, async () => ({
      image: document.querySelector('img')!.naturalWidth > 0,
      style: getComputedStyle(document.querySelector('.background')!).width === '400px',
      font: [...document.fonts].some(({ family, status }) => family === 'Square' && status === 'loaded'),
      module: (globalThis as unknown as { moduleRan?: boolean }).moduleRan === true,
      data: (await (window as unknown as { data: Promise<{ lines: unknown[] }> }).data).lines.length === 2000,
      film: document.querySelector('video')!.readyState >= 3,
      background: performance.getEntriesByName(`${location.origin}/media/animation.gif`).length > 0,
    }));
  await until(
    'all of the page',
    async () => {
      const parts = await seen();
      if (Object.values(parts).every(Boolean)) return true;
      throw new Error(JSON.stringify(parts));
    },
    { timeout: 30_000 },
  );
}

async function seek(page: AnyPage, to: number): Promise<void> {
  await inPage(
    page,
    (to) => {
      document.querySelector('video')!.currentTime = to;
    },
    to,
  );
  await until(`the film at ${to} s`, () =>
    inPage(
      page,
      (to) => {
        const { seeking, readyState, currentTime, error } = document.querySelector('video')!;
        return !seeking && readyState >= 2 && Math.abs(currentTime - to) < 0.5 && error === null;
      },
      to,
    ),
  );
}
