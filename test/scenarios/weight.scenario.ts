import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { until } from '../harness/until.ts';
import { PATIENT, person, type Person } from './support/person.ts';
import { stage, type Stage } from './support/stage.ts';

/** A thousand bytes: the stricter reading. */
const KB = 1000;

/** docs/decisions/0020-the-budget-grows-with-the-doors.md; p2p-media-loader's core with its hls.js binding, which has neither doors nor a disk, is 45 KB. */
for (const [element, body, limit] of [
  ['p2p-img', '<p2p-img src="/media/map.png"></p2p-img>', 48.5],
  ['p2p-video', '<p2p-video src="/media/pinned.m3u8" muted></p2p-video>', 61.5],
] as const)
  test(`the kit that a page with <${element}> fetches, workers included, is at most ${limit} KB gzipped, in company too`, async (t) => {
    const scene = await stage(t);
    const page = await scene.page(
      'weight',
      `<script type="module" src="/p2p-elements/${element}.js"></script>\n${body}`,
    );
    const first = await look(t, page, element);
    const second = await look(t, page, element);
    await Promise.all([first.connected(), second.connected()]);
    await until(
      'the disk',
      () => scene.proxy.matching(/disk-store/).some(({ state }) => state === 'complete'),
      PATIENT,
    );
    const files = await kitFiles(scene);
    for (const part of [`/${element}.js`, '/engine-worker.js', '/p2p-sw.js'])
      assert.ok(
        files.some(([path]) => path.endsWith(part)),
        part,
      );
    const total = files.reduce((sum, [, bytes]) => sum + bytes, 0);
    const list = [...files.map(([path, bytes]) => `${bytes} ${path}`), `${total} in all`].join('\n');
    t.diagnostic(list);
    assert.ok(total <= limit * KB, `${(total / KB).toFixed(1)} KB:\n${list}`);
  });

async function look(t: TestContext, page: string, element: 'p2p-img' | 'p2p-video'): Promise<Person> {
  const viewer = await person(t);
  await viewer.goto(page);
  if (element === 'p2p-img') await viewer.imageShown();
  else await viewer.videoBuffered();
  await viewer.statsUntil('the mesh', ({ signaling }) => signaling === 'joined');
  await viewer.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  return viewer;
}

/** Path and gzipped size of each file of the kit that the browser asked for, hls.js aside. */
async function kitFiles({ proxy, server }: Stage): Promise<(readonly [string, number])[]> {
  await until('the answers', () => proxy.matching(/\.js$/).every(({ state }) => state === 'complete'));
  const paths = new Set(proxy.matching(/^\/(p2p-elements\/.*|p2p-sw)\.js$/).map(({ url }) => url));
  const files = await Promise.all(
    [...paths].map(async (path) => [path, await gzippedSize(`${server.url}${path}`)] as const),
  );
  return files.filter(([path]) => !/\/hls[.-]/.test(path));
}

async function gzippedSize(url: string): Promise<number> {
  const response = await fetch(url);
  assert.equal(response.status, 200, url);
  return gzipSync(Buffer.from(await response.arrayBuffer()), { level: 9 }).length;
}
