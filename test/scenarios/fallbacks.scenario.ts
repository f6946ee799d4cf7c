import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import test, { type TestContext } from 'node:test';
import type { P2PImg } from '../../index.ts';
import { freePort } from '../harness/free-port.ts';
import { until } from '../harness/until.ts';
import { person, type Person } from './support/person.ts';
import { relay } from './support/relay.ts';
import { KIT, stage, type Stage } from './support/stage.ts';

const LESSON = '<p2p-img src="/media/map.png"></p2p-img>\n<p2p-video src="/media/pinned.m3u8" muted></p2p-video>';
const IS_ASSET = /\.(png|gif|ts)$/;
const CHANGED_SEGMENT = '/media/lesson/v1/segment-03.ts';

/** A PNG of one pixel. */
const DOT = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

/** A packet of an MPEG-2 transport stream that players skip (ISO/IEC 13818-1, 2.4.3.3). */
const NULL_PACKET = Buffer.concat([Buffer.of(0x47, 0x1f, 0xff, 0x10), Buffer.alloc(184, 0xff)]);

test('without WebRTC everything shows from the origin, with one message', async (t) => {
  const before = (): boolean => Reflect.deleteProperty(window, 'RTCPeerConnection');
  const [scene, viewer] = await Promise.all([stage(t), person(t, { before })]);
  await viewer.goto(await scene.page('lesson', `${KIT}\n${LESSON}`));
  await showsFromOrigin(viewer);
  assertOneWarning(viewer, /no WebRTC/);
});

test('on a static host without a signaling server everything shows from the origin, with one message', async (t) => {
  const [scene, viewer] = await Promise.all([stage(t), person(t)]);
  await scene.page('lesson', `${KIT}\n${LESSON}`);
  const host = await relay(t, scene.server.url, (path, body) => (path.startsWith('/p2p/') ? null : body));
  await viewer.goto(`${host}/media/own/lesson.html`);
  await showsFromOrigin(viewer);
  await viewer.statsUntil('the verdict', ({ signaling }) => signaling === 'unreachable');
  assertOneWarning(viewer, /signaling server .* can't be used/);
});

test('a signaling server that hangs up on everyone leaves everything to the origin, with one message', async (t) => {
  const [scene, viewer] = await Promise.all([stage(t), person(t)]);
  const broken = await hangingUp(t);
  await viewer.goto(await scene.page('lesson', `${KIT}\n<p2p-mesh signal="${broken.url}"></p2p-mesh>\n${LESSON}`));
  await showsFromOrigin(viewer);
  await until('a third attempt', () => broken.connections() >= 3, { timeout: 30_000 });
  assert.equal((await viewer.stats()).signaling, 'unreachable');
  assertOneWarning(viewer, new RegExp(`signaling server ${broken.url} can't be used`));
});

test('where nobody listens for signaling everything shows from the origin, with one message', async (t) => {
  const [scene, viewer] = await Promise.all([stage(t), person(t)]);
  const nobody = `http://127.0.0.1:${await freePort()}`;
  await viewer.goto(await scene.page('lesson', `${KIT}\n<p2p-mesh signal="${nobody}"></p2p-mesh>\n${LESSON}`));
  await showsFromOrigin(viewer);
  await viewer.statsUntil('the verdict', ({ signaling }) => signaling === 'unreachable');
  assertOneWarning(viewer, new RegExp(`signaling server ${nobody} can't be used`));
});

for (const [how, mesh, before, warnings] of [
  [
    'forbidden by the browser',
    '',
    () => Object.defineProperty(Navigator.prototype, 'serviceWorker', { value: undefined }),
    [/no service worker here/i],
  ],
  ['declined by the author', '<p2p-mesh worker="none"></p2p-mesh>', undefined, []],
] as const) {
  test(`without a service worker (${how}) the elements share on a secure page`, async (t) => {
    const scene = await stage(t);
    const url = await scene.page('lesson', `${KIT}\n${mesh}\n${LESSON}`);
    const { a, b } = await share(t, scene, url, before ? { before } : {});
    for (const viewer of [a, b]) {
      assert.deepEqual(await contextOf(viewer), { secure: true, subtle: true, controlled: false });
      assertWarnings(viewer, warnings);
    }
    assert.equal(scene.proxy.matching(/p2p-sw\.js/).length, 0);
    assert.equal(scene.proxy.matching(/sha2-/).length, 0, 'no library for hashing where the platform has it');
  });
}

test('on plain HTTP of a LAN the elements share, and hash with a library that is loaded only there', async (t) => {
  const scene = await stage(t);
  const url = new URL(await scene.page('lesson', `${KIT}\n${LESSON}`));
  url.hostname = 'lan.test';
  const { a, b } = await share(t, scene, url.href, { args: ['--host-resolver-rules=MAP lan.test 127.0.0.1'] });
  for (const viewer of [a, b]) {
    assert.deepEqual(await contextOf(viewer), { secure: false, subtle: false, controlled: false });
    assertWarnings(viewer, [/no service worker here/i]);
  }
  assert.equal(scene.proxy.matching(/sha2-.*\.js$/).length, 1, 'a second time for B'); // the proxy counts B alone by now
});

test('an origin whose bytes contradict their digests is shown, with one warning for each asset, and shared by nobody', async (t) => {
  const scene = await stage(t);
  const elements = [
    '<p2p-img id="map" src="/media/map.png"></p2p-img>',
    '<p2p-img id="other" src="/media/animation.gif"></p2p-img>',
    '<p2p-video src="/media/pinned.m3u8" muted></p2p-video>',
  ];
  await scene.page('lesson', [KIT, `<p2p-mesh signal="${scene.proxy.url}"></p2p-mesh>`, ...elements].join('\n'));
  // manifest and playlist are of yesterday: since then another picture and another segment were put there
  const changed: Readonly<Record<string, (body: Buffer) => Buffer>> = {
    '/media/map.png': () => DOT,
    [CHANGED_SEGMENT]: (body) => Buffer.concat([body, NULL_PACKET]),
  };
  const host = await relay(t, scene.proxy.url, (path, body) => changed[path]?.(body) ?? body);
  for (const others of ['origin', 'peers']) {
    const viewer = await person(t);
    scene.proxy.reset();
    await viewer.goto(`${host}/media/own/lesson.html`);
    assert.equal(await viewer.imageShown('#other'), others, 'the mesh works');
    assert.equal(await viewer.imageShown('#map'), 'origin');
    assert.deepEqual(
      await viewer.page.evaluate(() => {
        const { shared, nativeEl } = document.querySelector<P2PImg>('#map')!;
        return { shared, width: nativeEl.naturalWidth };
      }),
      { shared: false, width: 1 },
    );
    await viewer.videoBuffered();
    const warnings = viewer.warnings.map((line) => /(\/media\/\S+\.(?:png|ts))\b.*\bdigest/.exec(line)?.[1]).sort();
    assert.deepEqual(warnings, [CHANGED_SEGMENT, '/media/map.png']);
    const fromOrigin = scene.proxy
      .matching(IS_ASSET)
      .map(({ url }) => url)
      .sort();
    if (others === 'peers')
      assert.deepEqual(fromOrigin, [CHANGED_SEGMENT, '/media/map.png'], 'all else comes from the first viewer');
  }
});

/** A opens the page alone, then B opens it and gets all that is on it from A. Counted from B's start on. */
async function share(
  t: TestContext,
  scene: Stage,
  url: string,
  options: Parameters<typeof person>[1],
): Promise<{ a: Person; b: Person }> {
  const [a, b] = await Promise.all([person(t, options), person(t, options)]);
  await a.goto(url);
  assert.equal(await a.imageShown(), 'origin');
  await a.videoBuffered();
  scene.proxy.reset();
  await b.goto(url);
  assert.equal(await b.imageShown(), 'peers');
  await b.videoBuffered();
  assert.deepEqual(
    scene.proxy.matching(IS_ASSET).map(({ url }) => url),
    [],
    'asked of the origin by B',
  );
  return { a, b };
}

/** A server that ends each connection at once. */
async function hangingUp(t: TestContext): Promise<{ url: string; connections: () => number }> {
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, connections: () => connections };
}

async function showsFromOrigin(viewer: Person): Promise<void> {
  assert.equal(await viewer.imageShown(), 'origin');
  await viewer.videoBuffered();
  const { bytes, peers } = await viewer.stats();
  assert.deepEqual({ peers, fromPeers: bytes.peers }, { peers: 0, fromPeers: 0 });
}

const contextOf = ({ page }: Person): Promise<{ secure: boolean; subtle: boolean; controlled: boolean }> =>
  page.evaluate(() => ({
    secure: isSecureContext,
    subtle: (crypto as { subtle?: SubtleCrypto }).subtle !== undefined,
    controlled: Boolean((navigator as { serviceWorker?: ServiceWorkerContainer }).serviceWorker?.controller),
  }));

const assertOneWarning = (viewer: Person, expected: RegExp): void => assertWarnings(viewer, [expected]);

/** These and no others, each once. */
function assertWarnings(viewer: Person, expected: readonly RegExp[]): void {
  assert.equal(viewer.warnings.length, expected.length, viewer.warnings.join('\n'));
  expected.forEach((pattern, i) => assert.match(viewer.warnings[i]!, pattern));
}
