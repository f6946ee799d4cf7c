/** What may never be shared is not, whoever asks for it, on a page that lets be shared whatever may be: issue C, D2. */
import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import test from 'node:test';
import { nameOf, urlKey } from '../../protocol/digest.ts';
import type { Digest } from '../../protocol/ids.ts';
import type { P2PMesh } from '../../index.ts';
import { countingServer } from '../harness/counting-server.ts';
import { until } from '../harness/until.ts';
import { nodeSha256, testBody } from '../mesh/world/test-asset.ts';
import { launchHostilePeer } from './hostile/launch-hostile-peer.ts';
import { pageOf, person } from './support/person.ts';
import { KIT, stage, type Stage } from './support/stage.ts';
import { controlled, inPage } from './support/viewer.ts';

interface Row {
  readonly path: string;
  /** How the page asks for it. Default: `fetch()`, and `mesh.fetch()` beside it. */
  readonly by?: 'img' | 'video' | 'script' | 'style' | 'worker' | 'frame' | 'post' | 'authorization' | 'elsewhere';
  readonly headers?: Readonly<Record<string, string>>;
  readonly type?: string;
  /** Does the manifest list it, so that nothing but the rule keeps it back? */
  readonly isListed?: boolean;
  /** Is it given only to who has the page's cookie? */
  readonly isGated?: boolean;
}

const FRESH = { 'cache-control': 'public, max-age=600' };

const NEVER: readonly Row[] = [
  { path: 'posted.bin', by: 'post' },
  { path: 'authorized.bin', by: 'authorization' },
  { path: 'private.bin', headers: { 'cache-control': 'private, max-age=600' }, isListed: true },
  { path: 'private.png', headers: { 'cache-control': 'private, max-age=600' }, by: 'img' },
  { path: 'no-store.bin', headers: { 'cache-control': 'no-store' }, isListed: true },
  { path: 'no-store.png', headers: { 'cache-control': 'no-store' }, by: 'img' },
  { path: 'varies.bin', headers: { ...FRESH, vary: 'Cookie' }, isListed: true },
  { path: 'varies.png', headers: { ...FRESH, vary: 'Accept-Encoding, Accept-Language' }, by: 'img' },
  { path: 'stale.png', headers: { 'cache-control': 'max-age=0' }, by: 'img' },
  { path: 'opaque.png', by: 'elsewhere' },
  { path: 'moved.bin', isListed: true },
  { path: 'moved.png', by: 'img' },
  { path: 'gated.png', by: 'img', isGated: true },
  { path: 'gated.bin', isListed: true, isGated: true },
  { path: 'live.m3u8', type: 'application/vnd.apple.mpegurl' },
  { path: 'film.m3u8', type: 'application/vnd.apple.mpegurl', by: 'video' },
  { path: 'segment.key', type: 'application/octet-stream' },
  { path: 'page.html', type: 'text/html', by: 'frame' },
  { path: 'page.png', type: 'text/html', by: 'img' },
  { path: 'module.js', type: 'text/javascript', by: 'script' },
  { path: 'worker.js', type: 'text/javascript', by: 'worker' },
  { path: 'style.css', type: 'text/css', by: 'style' },
  { path: 'data.json', type: 'application/json' },
  { path: 'excluded.bin', isListed: true },
  { path: 'excluded.png', by: 'img' },
];

const CONTROLS: readonly Row[] = [
  { path: 'control.bin', isListed: true },
  { path: 'control.png', by: 'img' },
];

const ROWS = [...NEVER, ...CONTROLS];

/** Other bytes for each, and for scripts some that run. */
const bodyOf = ({ path, type = '' }: Row): Uint8Array<ArrayBuffer> =>
  /^text\/|json/.test(type)
    ? Uint8Array.from(
        Buffer.from(path === 'worker.js' ? 'postMessage("here")' : path.endsWith('.css') ? '/* style */' : `"${path}"`),
      )
    : testBody(20_000, 1 + ROWS.findIndex((row) => row.path === path));

for (const browser of ['Chromium', 'Firefox'] as const)
  test(`what may never be shared is neither announced nor given, by digest or by URL: ${browser}`, async (t) => {
    const [scene, recorder] = await Promise.all([stage(t), person(t)]);
    const elsewhere = await countingServer(scene.server.url);
    t.after(() => elsewhere.dropAll());
    elsewhere.answers = scene.proxy.answers = await rowsOf();
    const peer = await launchHostilePeer(recorder.page, scene, {
      swarms: [scene.proxy.url, `${scene.proxy.url} by URL`],
      claims: [],
      behaviour: 'records',
    });
    const page = await pageOf(t, browser);
    const url = await scene.page(
      'rows',
      `${KIT}<p2p-mesh manifest="/row/manifest.json" verify="none" exclude="/row/excluded.*"></p2p-mesh>`,
    );
    await controlled(page, url);
    await page.goto(`${url}?2`);
    await until('the recording peer as a neighbour', async () => (await peer.state()).opened > 1);
    await inPage(page, () => void (document.cookie = 'visitor=1; path=/'));
    assert.deepEqual(await inPage(page, askForAll, { rows: ROWS, elsewhere: elsewhere.url }), []);
    const atOrigin = [...scene.proxy.requests, ...elsewhere.requests].map(({ url }) => url);
    const unasked = ROWS.filter(({ path }) => !atOrigin.includes(`/row/${path}`));
    assert.deepEqual(unasked, [], 'the page has had all of them');

    const names = new Map(
      await Promise.all(ROWS.map(async (row) => [row.path, await namesOf(scene, elsewhere.url, row)] as const)),
    );
    const isControl = ({ path }: Row): boolean => CONTROLS.some((control) => control.path === path);
    await until('the controls at the recording peer', async () => {
      await peer.ask(CONTROLS.flatMap(({ path }) => names.get(path) ?? []));
      const { answers } = await peer.state();
      const got = CONTROLS.map(({ path }) => (names.get(path) ?? []).some((name) => answers[name]!.includes('block')));
      if (got.every(Boolean)) return true;
      throw new Error(JSON.stringify(got));
    });
    const never = ROWS.filter((row) => !isControl(row)).flatMap(({ path }) => names.get(path) ?? []);
    // Asked again for what a connection that ended took with it.
    await until(
      'all answers',
      async () => {
        const { answers, opened } = await peer.state();
        const unanswered = never.filter((name) => answers[name] === undefined);
        if (unanswered.length === 0) return true;
        await peer.ask(unanswered);
        throw new Error(`${unanswered.length} of ${never.length} unanswered, ${opened} connections were opened`);
      },
      { timeout: 30_000, interval: 1000 },
    );
    const { announced, answers } = await peer.state();
    const leaks = ROWS.filter((row) => !isControl(row)).flatMap(({ path }) =>
      (names.get(path) ?? []).flatMap((name) => [
        ...(announced.includes(name) ? [`${path} announced`] : []),
        ...(answers[name] ?? []).filter((type) => type !== 'refuse').map((type) => `${path} given: ${type}`),
      ]),
    );
    assert.deepEqual(leaks, []);
    for (const { path } of CONTROLS)
      assert.ok(
        names.get(path)?.some((name) => announced.includes(name)),
        `${path} was announced`,
      );
  });

/** Its digest, the key of its URL, and its digest under that key. */
async function namesOf({ proxy }: Stage, elsewhere: string, row: Row): Promise<readonly Digest[]> {
  const body = bodyOf(row);
  const key = await urlKey(`${row.by === 'elsewhere' ? elsewhere : proxy.url}/row/${row.path}`, nodeSha256);
  return [(await nameOf(body, nodeSha256)).digest, key, (await nameOf(body, nodeSha256, key)).digest];
}

async function rowsOf(): Promise<(incoming: IncomingMessage, outgoing: ServerResponse) => boolean> {
  const listed = await Promise.all(
    ROWS.filter(({ isListed }) => isListed).map(async (row) => {
      const { digest, size } = await nameOf(bodyOf(row), nodeSha256);
      return [row.path, { digest, size, type: row.type ?? 'application/octet-stream' }] as const;
    }),
  );
  const manifest = JSON.stringify({ version: 1, leaves: '/p2p/leaves/', assets: Object.fromEntries(listed) });
  return ({ url = '', method, headers }, outgoing) => {
    const path = /^\/row\/([^?]*)/.exec(url)?.[1];
    if (path === undefined) return false;
    if (path === 'manifest.json') return Boolean(outgoing.writeHead(200, FRESH).end(manifest));
    const row = ROWS.find((one) => `moved/${one.path}` === path || one.path === path);
    if (!row) return Boolean(outgoing.writeHead(404).end());
    const isDenied =
      (row.isGated === true && headers.cookie === undefined) ||
      (row.by === 'authorization' && headers.authorization === undefined) ||
      (row.by === 'post' && method !== 'POST');
    if (isDenied) return Boolean(outgoing.writeHead(403, { 'cache-control': 'no-store' }).end());
    if (row.path.startsWith('moved') && !path.startsWith('moved/'))
      return Boolean(outgoing.writeHead(302, { location: `/row/moved/${path}` }).end());
    const type = row.type ?? (path.endsWith('.png') ? 'image/png' : 'application/octet-stream');
    outgoing.writeHead(200, { ...FRESH, 'content-type': type, ...row.headers }).end(bodyOf(row));
    return true;
  };
}

/** Each in its way, one after the other. @returns what was answered otherwise than with it, as far as a page can tell */
async function askForAll({ rows, elsewhere }: { rows: readonly Row[]; elsewhere: string }): Promise<string[]> {
  const failed: string[] = [];
  for (const { path, by, isGated } of rows) {
    const url = `/row/${path}`;
    if (by === undefined || by === 'post' || by === 'authorization') {
      const init =
        by === 'post' ? { method: 'POST' } : by === 'authorization' ? { headers: { authorization: 'Bearer me' } } : {};
      const answers = [await fetch(url, init)];
      const { mesh } = document.querySelector<P2PMesh>('p2p-mesh')!;
      if (by === undefined && isGated !== true) answers.push(await mesh.fetch(url));
      if (answers.some(({ ok }) => !ok)) failed.push(path);
      continue;
    }
    const tag = { img: 'img', elsewhere: 'img', video: 'video', script: 'script', frame: 'iframe', style: 'link' };
    const element = by === 'worker' ? new Worker(url) : document.createElement(tag[by]);
    const ended = new Promise((resolve) => {
      for (const type of ['load', 'error', 'message']) element.addEventListener(type, resolve);
    });
    if (element instanceof HTMLElement) {
      element.setAttribute('rel', 'stylesheet');
      element.setAttribute(by === 'style' ? 'href' : 'src', by === 'elsewhere' ? `${elsewhere}${url}` : url);
      document.body.append(element);
    }
    await ended;
  }
  return failed;
}
