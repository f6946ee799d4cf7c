/** What is kept on the disk never takes more than its cap, and outlives a browser that is killed while it writes: issue C, D6. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { launchChromium } from '../harness/browsers.ts';
import { until } from '../harness/until.ts';
import { seededRandom } from '../mesh/world/seeded-random.ts';
import {
  beginLoading,
  diskOf,
  heldOf,
  keptOf,
  loadAll,
  loadingOf,
  settled,
  watchDisk,
  writeFiles,
  type SeededFile,
} from './support/disk.ts';
import { person, PATIENT } from './support/person.ts';
import { KIT, stage, type Stage } from './support/stage.ts';
import { inPage, type AnyPage } from './support/viewer.ts';

const LONG = process.env['P2P_LONG'] === '1';

const MB = 1e6;

/** What is loaded, and the cap. */
const [LOADED, CAP] = LONG ? [200 * MB, 20 * MB] : [40 * MB, 4 * MB];

const KILLS = LONG ? 20 : 2;

/** While it is killed: many small files, so that there is always one being written, and others go for it. */
const SMALL_FILES = 150;
const SMALL_CAP = 5 * MB;

/** The browser is killed once so many bodies were seen to come into the cache, at most: fewer than a visit brings. */
const MOST_WRITTEN = 60;

/** So that nothing comes from the browser's own. */
const NO_HTTP_CACHE = '--disk-cache-size=1';

/** Other files and moments with each run; P2P_SEED repeats one. */
function seedOf(t: TestContext): number {
  const seed = Number(process.env['P2P_SEED'] ?? Date.now() % 1e6);
  t.diagnostic(`P2P_SEED=${seed}`);
  return seed;
}

const pageOf = (scene: Stage, cap: number): Promise<string> =>
  scene.page('store', `${KIT}<p2p-mesh max-storage="${cap / MB}mb"></p2p-mesh>`);

test(`${LOADED / MB} MB are loaded with a cap of ${CAP / MB} MB: it is never exceeded, and no request fails`, async (t) => {
  const seed = seedOf(t);
  const [scene, { page }] = await Promise.all([stage(t), person(t)]);
  const files = await writeFiles(scene, seed, sizesOf(seed, LOADED));
  await page.goto(await pageOf(scene, CAP));
  await watchDisk(page);
  // Opens the disk at once, as does the next line once all of it is loaded.
  await settled(page, files[0]!);
  const { right, wrong, failed } = await loadAll(page, files, 'mesh');
  await settled(page, files.at(-1)!);
  const disk = await looked(page);
  t.diagnostic(`${JSON.stringify(disk)}, ${files.length} files`);
  assert.deepEqual([right.length, wrong, failed], [files.length, [], []]);
  assert.ok(disk.most <= CAP, `${disk.most} bytes were kept at once`);
  assert.ok(disk.last > CAP / 2, `only ${disk.last} bytes are kept`);
  assert.ok(disk.came > files.length / 2, 'the disk was hardly looked at');
  const bad = scene.proxy.requests.filter(({ url, status }) => url.startsWith('/media/files/') && status !== 200);
  assert.deepEqual(bad, []);
});

test(`a browser is killed ${KILLS} times while it writes: the store opens each time, and no wrong byte is ever given`, async (t) => {
  const seed = seedOf(t);
  const random = seededRandom(seed);
  const profile = await mkdtemp(join(tmpdir(), 'p2p-profile-'));
  t.after(() => rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }));
  const scene = await stage(t);
  const files = await writeFiles(
    scene,
    seed,
    Array.from({ length: SMALL_FILES }, () => Math.ceil(random() * 2e5)),
  );
  const url = await pageOf(scene, SMALL_CAP);
  const answers = { mesh: 0, fetch: 0 };
  for (let kills = 0; kills <= KILLS; kills++) {
    const chromium = await launchChromium({ profile, args: [NO_HTTP_CACHE] });
    t.after(() => chromium.close());
    const page = await chromium.newPage();
    await page.goto(url);
    await controlled(page);
    if (kills === 0) await settled(page, files[0]!);
    else await withoutOrigin(t, scene, page, files, answers);
    if (kills === KILLS) break;
    const count = 1 + Math.floor(random() * MOST_WRITTEN);
    const seen = await whileWriting(page, shuffled(files, random), count);
    await chromium.kill();
    t.diagnostic(`kill ${kills + 1} while ${seen} were being written`);
  }
  t.diagnostic(JSON.stringify(answers));
});

test('tabs that can not find each other, and run an engine each, do not exceed the cap together', async (t) => {
  const seed = seedOf(t);
  const [scene, { chromium, page }] = await Promise.all([stage(t), person(t)]);
  const files = await writeFiles(scene, seed, sizesOf(seed, 5 * CAP));
  const other = await chromium.context.newPage();
  const url = await scene.page('alone', `${KIT}<p2p-mesh max-storage="${CAP / MB}mb" worker="none"></p2p-mesh>`);
  for (const tab of [page, other]) {
    await tab.goto(url);
    await settled(tab, files[0]!);
  }
  await watchDisk(page);
  while (files.length > 0)
    for (const tab of [page, other]) {
      const some = files.splice(0, 4);
      assert.equal((await loadAll(tab, some, 'mesh')).right.length, some.length);
      await settled(tab, some[0] ?? { path: '/media/map.png' });
    }
  const disk = await looked(page);
  t.diagnostic(JSON.stringify(disk));
  assert.ok(disk.most <= CAP, `${disk.most} bytes were kept at once`);
  assert.ok(disk.last > CAP / 4, `only ${disk.last} bytes are kept`);
});

/** From 0.2 to 2 MB each. */
function sizesOf(seed: number, total: number): number[] {
  const random = seededRandom(seed);
  const sizes: number[] = [];
  for (let left = total; left > 0; left -= sizes.at(-1)!)
    sizes.push(Math.min(left, Math.round(0.2 * MB + 1.8 * MB * random())));
  return sizes;
}

function shuffled<T>(list: readonly T[], random: () => number): T[] {
  return list
    .map((item) => ({ item, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}

/** Waits for a look at the cache that began after now. */
async function looked(page: AnyPage): ReturnType<typeof diskOf> {
  const { looks } = await diskOf(page);
  return until('a look at the disk', async () => {
    const disk = await diskOf(page);
    return disk.looks > looks + 1 && disk;
  });
}

/** Waits until the service worker answers for the page. */
const controlled = (page: AnyPage): Promise<boolean> =>
  until(
    'the service worker in control',
    () => inPage(page, () => navigator.serviceWorker.controller !== null),
    PATIENT,
  );

/** Loads all files; resolves in the middle of their being written, once so many bodies came into the cache. @returns how far it was */
async function whileWriting(page: AnyPage, files: readonly SeededFile[], count: number): Promise<string> {
  const missing = files.length - (await keptOf(page, files)).length;
  await watchDisk(page);
  await beginLoading(page, files, 'mesh');
  const { came, most } = await until(
    `${count} bodies that came into the cache`,
    async () => {
      const disk = await diskOf(page);
      return disk.came >= count && disk;
    },
    { ...PATIENT, interval: 1 },
  );
  const { wrong, failed } = await loadingOf(page);
  assert.deepEqual([wrong, failed], [[], []]);
  assert.ok(most <= SMALL_CAP, `${most} bytes were kept at once`);
  assert.ok(came < missing, 'all of it was written');
  return `${came} of ${missing}`;
}

/** What an earlier visit left is found where the origin is gone, by both doors; what is not has no other bytes in its place. */
async function withoutOrigin(
  t: TestContext,
  scene: Stage,
  page: AnyPage,
  files: readonly SeededFile[],
  answers: { mesh: number; fetch: number },
): Promise<void> {
  const kept = await keptOf(page, files);
  assert.ok(kept.length > 0, 'nothing was kept');
  // What the kit has yet to load of itself may be what had to go.
  await until('the store that opens', async () => (await heldOf(page, kept)) > kept.length / 2, PATIENT);
  await scene.proxy.dropAll();
  for (const door of ['fetch', 'mesh'] as const) {
    const { right, wrong, failed } = await loadAll(page, kept, door);
    t.diagnostic(`${door}: ${right.length} of ${kept.length}${failed.length > 0 ? `, ${failed.join(', ')}` : ''}`);
    assert.deepEqual(wrong, []);
    assert.ok(right.length > kept.length / 2, `${door}: ${right.length} of ${kept.length}`);
    answers[door] += right.length;
  }
  await scene.proxy.listen();
}
