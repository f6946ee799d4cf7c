/** What an operator has: a holdout, a switch, metrics of what viewers saw, and a demo under its policy. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import type { Page } from 'playwright-core';
import { until } from '../harness/until.ts';
import { pageOf, PATIENT, person, type Person } from './support/person.ts';
import { KIT, stage, type Stage } from './support/stage.ts';
import { imagesShown, inPage, meshStats, playhead, type AnyPage } from './support/viewer.ts';

const VIDEO = `${KIT}\n<p2p-video src="/media/pinned.m3u8" muted autoplay></p2p-video>`;

/** The value of a series of `/metrics`. */
async function metric({ server }: Stage, series: string): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `));
  return Number(line?.slice(series.length));
}

const played = (viewer: Person): Promise<void> =>
  viewer.page
    .waitForFunction(() => document.querySelector<HTMLVideoElement>('p2p-video')!.currentTime > 1)
    .then(() => undefined);

test('two viewers in the holdout share nothing, load all from the origin, and their beacons show', async (t) => {
  const [scene, a, b] = await Promise.all([stage(t, ['--holdout', '100%']), person(t), person(t)]);
  const url = await scene.page('held', VIDEO);
  await Promise.all(
    [a, b].map(async (viewer) => {
      await viewer.goto(url);
      await viewer.videoBuffered();
      await played(viewer);
    }),
  );
  for (const { page } of [a, b]) {
    const { peers, bytes, noMesh, signaling } = await meshStats(page);
    assert.deepEqual([peers, bytes.peers, bytes.uploaded, noMesh, signaling], [0, 0, 0, 'holdout', 'off']);
    assert.ok(bytes.origin > 100_000);
  }
  const group = '{group="holdout"';
  await until(
    'the beacons',
    async () => (await metric(scene, `p2p_client_beacons_total${group},mesh="holdout"}`)) >= 2,
    PATIENT,
  );
  assert.ok((await metric(scene, `p2p_client_bytes_total${group},source="origin"}`)) > 200_000);
  assert.equal(await metric(scene, `p2p_client_bytes_total${group},source="peers"}`), 0);
  const frames = `p2p_client_first_frame_seconds_count${group}}`;
  await until('their first frames', async () => (await metric(scene, frames)) === 2, { timeout: 80_000 });
  assert.equal(await metric(scene, 'p2p_client_beacons_total{group="mesh",mesh="connected"}'), 0);
  assert.equal(await metric(scene, 'p2p_peers'), 0);
  // at the next visit of the browser, too
  await a.page.reload();
  await a.statsUntil('the same group', ({ noMesh }) => noMesh === 'holdout');
});

test('the switch parts a running mesh, and brings it together again; what it shared shows in the metrics', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'p2p-config-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const config = join(folder, 'config.json');
  await writeFile(config, '{}');
  const [scene, a, b] = await Promise.all([stage(t, ['--config', config]), person(t), person(t)]);
  const url = await scene.page('switch', VIDEO);
  await a.goto(url);
  await a.videoBuffered();
  await b.goto(url);
  await b.videoBuffered();
  await Promise.all([a.connected(), b.connected()]);
  await until(
    'beacons of a mesh',
    async () => (await metric(scene, 'p2p_client_bytes_total{group="mesh",source="peers"}')) > 100_000,
    { timeout: 80_000 }, // if the first beacon came too soon, the next one is a minute later
  );
  assert.ok((await metric(scene, 'p2p_client_beacons_total{group="mesh",mesh="connected"}')) >= 1);
  await writeFile(config, '{ "mesh": "off" }');
  process.kill(scene.server.pid!, 'SIGHUP');
  for (const viewer of [a, b])
    await viewer.statsUntil('no mesh', ({ peers, noMesh }) => peers === 0 && noMesh === 'switched-off');
  await writeFile(config, '{ "mesh": "on" }');
  process.kill(scene.server.pid!, 'SIGHUP');
  await Promise.all([a.connected(), b.connected()]);
});

const watchRules = async (page: AnyPage): Promise<void> => {
  const watch = (): void => {
    const broken: string[] = [];
    Object.assign(window, { broken });
    document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) =>
      broken.push(`${effectiveDirective} ${blockedURI}`),
    );
  };
  if ('addInitScript' in page) await page.addInitScript(watch);
  else await page.evaluateOnNewDocument(watch);
};

const rulesBroken = (page: AnyPage): Promise<readonly string[]> =>
  inPage(page, () => (window as unknown as { broken: readonly string[] }).broken);

/** What a browser says of the rules for a page, and what it says where one is broken. */
const OF_RULES = /Content.?Security.?Policy|Permissions.?Policy|Referrer.?Policy|Opener.?Policy/i;

for (const browser of ['Chromium', 'Firefox'] as const)
  test(`the demo breaks no rule of its policy: video, pictures, workers, signaling (${browser})`, async (t) => {
    const [scene, a, b] = await Promise.all([stage(t), pageOf(t, browser), pageOf(t, 'Chromium')]);
    const said: string[] = [];
    for (const page of [a, b]) {
      await watchRules(page);
      // Chromium's console has what a worker breaks, too
      (page as Page).on('console', (message) => {
        if (OF_RULES.test(message.text())) said.push(message.text());
      });
    }
    const open = async (page: AnyPage): Promise<void> => {
      const demo = await page.goto(`${scene.proxy.url}/?autoplay&src=/media/pinned.m3u8`);
      // or nothing is tested
      assert.match(String(demo?.headers()['content-security-policy']), /default-src 'none'/);
      await imagesShown(page);
      await until('the film', async () => (await playhead(page)).time > 1, PATIENT);
      await inPage(page, () => navigator.serviceWorker.ready.then(() => undefined));
    };
    await Promise.all([open(a), open(b)]);
    await until('each other', async () => (await meshStats(a)).peers > 0 && (await meshStats(b)).peers > 0, PATIENT);
    await inPage(a, () => {
      document.body.append(Object.assign(document.createElement('script'), { text: '1' }));
    });
    const broken = await until('what breaks a rule is seen', async () => {
      const rules = await rulesBroken(a);
      return rules.length > 0 && rules;
    });
    assert.deepEqual(broken, ['script-src-elem inline'], 'by the script above, and by nothing else');
    assert.deepEqual(await rulesBroken(b), []);
    assert.ok(said.length <= 1, said.join('\n'));
  });

test('a stall shows in the metrics while it lasts, and its length when the viewer leaves', async (t) => {
  const [scene, viewer] = await Promise.all([stage(t), person(t)]);
  const held: (() => void)[] = [];
  let isOpen = false;
  scene.proxy.answers = ({ url = '' }, outgoing) => {
    if (isOpen || !/segment-(0[3-9]|1\d)\.ts$/.test(url)) return false;
    const answer = async (): Promise<void> => {
      const response = await fetch(`${scene.server.url}${url}`);
      outgoing.end(Buffer.from(await response.arrayBuffer()));
    };
    held.push(() => void answer());
    return true;
  };
  await viewer.goto(await scene.page('stalling', VIDEO));
  await until('the stall', async () => (await metric(scene, 'p2p_client_stalls_total{group="mesh"}')) >= 1, {
    timeout: 90_000,
  });
  assert.equal(await metric(scene, 'p2p_client_stalled_seconds_total{group="mesh"}'), 0, 'it has not ended');
  isOpen = true;
  for (const answer of held) answer();
  await until('it plays on', async () => (await playhead(viewer.page)).time > 8, PATIENT);
  await viewer.goto('about:blank');
  await until(
    'the last beacon',
    async () => (await metric(scene, 'p2p_client_stalled_seconds_total{group="mesh"}')) > 1,
    PATIENT,
  );
});
