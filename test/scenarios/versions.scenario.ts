/** After a deploy a page and a service worker one version apart understand each other, whichever is the newer: issue C, C.8. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { ROOT } from '../harness/serve.ts';
import { until } from '../harness/until.ts';
import { person, type Person } from './support/person.ts';
import { KIT, stage, type Stage } from './support/stage.ts';
import { connected, controlled, inPage } from './support/viewer.ts';

/** Paths to the scripts of a build that was kept (scripts/keep-build.mjs). */
type Build = Readonly<Record<string, string>>;

const earlier = async (): Promise<Build> =>
  JSON.parse(gunzipSync(await readFile(join(ROOT, 'test/fixtures/earlier-build.json.gz'))).toString()) as Build;

const WORKER = 'p2p-sw.js';

/** Serves what is listed of an earlier build in place of today's; what it lists may change. */
function serves(scene: Stage, build: Build): Map<string, string> {
  const served = new Map<string, string>();
  scene.proxy.answers = ({ url = '' }, outgoing) => {
    const path = new URL(url, scene.proxy.url).pathname;
    const script = served.get(path.replace(/^\/(p2p-elements\/)?/, ''));
    if (script === undefined) return false;
    outgoing.writeHead(200, { 'content-type': 'text/javascript', 'cache-control': 'no-cache' }).end(script);
    return true;
  };
  assert.ok(build[WORKER]);
  return served;
}

test('a page of today shares by the service worker of an earlier build, and by today’s that takes its place', async (t) => {
  const { scene, build, a, b, url } = await setUp(t);
  const served = serves(scene, build);
  served.set(WORKER, build[WORKER]!);
  await Promise.all([a, b].map(({ page }) => controlled(page, url)));
  await sharesByWorker(scene, a, b, url, 'map.png');
  served.clear();
  await Promise.all([a, b].map(updated));
  await sharesByWorker(scene, a, b, url, 'animation.gif');
  await stillKept(scene, b, 'map.png');
});

test('a page of an earlier build that is open goes on when today’s service worker takes over', async (t) => {
  const { scene, build, a, b, url } = await setUp(t);
  const served = serves(scene, build);
  for (const [path, script] of Object.entries(build)) served.set(path, script);
  await Promise.all([a, b].map(({ page }) => controlled(page, url)));
  await sharesByWorker(scene, a, b, url, 'map.png');
  served.delete(WORKER);
  await Promise.all([a, b].map(updated));
  await sharesByWorker(scene, a, b, null, 'animation.gif');
  await stillKept(scene, b, 'map.png');
});

async function setUp(t: TestContext) {
  const [scene, a, b, build] = await Promise.all([stage(t), person(t), person(t), earlier()]);
  return { scene, a, b, build, url: await scene.page('deployed', `${KIT}<p2p-mesh></p2p-mesh>`) };
}

/** The browser finds the worker of another build, which takes over while the page is open. */
async function updated({ page }: Person): Promise<void> {
  await inPage(page, async () => {
    const taken = new Promise((resolve) => navigator.serviceWorker.addEventListener('controllerchange', resolve));
    await (await navigator.serviceWorker.ready).update();
    await taken;
  });
}

/** What one has fetched the other has from it, none of it from the server. @param url where both go first; null: they stay */
async function sharesByWorker(scene: Stage, a: Person, b: Person, url: string | null, file: string): Promise<void> {
  for (const { page } of [a, b]) {
    if (url !== null) await page.goto(`${url}?${file}`);
    await connected(page);
  }
  const get = ({ page }: Person): Promise<number> =>
    inPage(page, async (file) => (await (await fetch(`/media/${file}`)).arrayBuffer()).byteLength, file);
  const size = await get(a);
  scene.proxy.reset();
  await until(`${file} from the neighbour`, async () => {
    const before = scene.proxy.bytes(new RegExp(file));
    assert.equal(await get(b), size);
    return scene.proxy.bytes(new RegExp(file)) === before;
  });
  // The manifest has the digests of today's scripts.
  const warnings = [...a.warnings, ...b.warnings].filter(
    (line) => !/p2p-elements\/\S+ is not what its digest/.test(line),
  );
  assert.deepEqual(warnings, []);
  await until(`${file} kept`, () => inPage(b.page, isKept, { size }));
}

/** Is a body of this length on the disk? */
async function isKept({ size }: { size: number }): Promise<boolean> {
  for (const name of await caches.keys()) {
    if (!name.startsWith('p2p-elements-assets')) continue;
    const cache = await caches.open(name);
    for (const request of await cache.keys())
      if ((await (await cache.match(request))?.blob())?.size === size) return true;
  }
  return false;
}

/** What the worker before it left is given without the server. */
async function stillKept(scene: Stage, { page }: Person, file: string): Promise<void> {
  scene.proxy.reset();
  const { status } = await inPage(page, async (file) => ({ status: (await fetch(`/media/${file}`)).status }), file);
  assert.deepEqual([status, scene.proxy.bytes(new RegExp(file))], [200, 0]);
}
