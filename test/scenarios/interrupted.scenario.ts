/** A browser may end the service worker at any moment: what it was giving then is whole, or an error, never a part that is called whole. Issue C, D5. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import type { Transform } from 'node:stream';
import test, { type TestContext } from 'node:test';
import { ASSET_CACHE } from '../../protocol/asset-cache.ts';
import { ENGINE_REFERRER } from '../../protocol/worker.ts';
import { MAX_PIECE_BYTES } from '../../sw/limits.ts';
import { launchFirefox } from '../harness/browsers.ts';
import { Gate } from '../harness/gate.ts';
import { Line } from '../harness/line.ts';
import { FIXTURE_MEDIA } from '../harness/serve.ts';
import { until } from '../harness/until.ts';
import { person, PATIENT, type Person } from './support/person.ts';
import { KIT, stage, type Stage } from './support/stage.ts';
import { workerStopper, type WorkerStopper } from './support/stop-worker.ts';
import { begin, endOf, goOn, headOf, takeAll, takingOf, TAKES } from './support/taking.ts';
import { connected, inPage, type AnyPage } from './support/viewer.ts';

const IS_LONG = process.env['P2P_LONG'] === '1';
const LOADS = IS_LONG ? 50 : 8;

interface Moment {
  readonly name: string;
  /** Is the answer whole all the same? Else it is an error. */
  readonly isWhole: boolean;
  /** Bytes of the file. Default: BYTES. */
  readonly bytes?: number;
  /** The request's Range header, and where in the file it begins. Default: all of the file is asked for. */
  readonly from?: number;
  /** Loads the page and stops the worker while it answers a request of it. */
  readonly interrupt: (theatre: Theatre, file: TestFile) => Promise<void>;
}

const MOMENTS: readonly Moment[] = [
  { name: 'before the page has its manifest', isWhole: true, interrupt: beforeManifest },
  { name: 'before the origin has answered', isWhole: true, interrupt: beforeOrigin },
  { name: 'a file from the store', isWhole: true, interrupt: fromStore },
  // No longer than a piece, else a range is not all of it.
  { name: 'a range from the store that is all', isWhole: true, bytes: MAX_PIECE_BYTES, from: 0, interrupt: fromStore },
  { name: 'a piece from the store', isWhole: true, from: 1_234_567, interrupt: fromStore },
  { name: 'while it comes from a neighbour', isWhole: false, interrupt: fromNeighbour },
  { name: 'while it comes from the origin', isWhole: false, interrupt: fromOrigin },
  { name: 'while the network’s answer passes', isWhole: false, interrupt: fromNetwork },
];

/** So long that no pipe of a browser takes all of it in, and at the neighbour's rate some seconds of it. */
const BYTES = 4 * 1024 * 1024;
const NEIGHBOUR = '8mbps';

const MANIFEST = '/p2p-manifest.json';

/** Bits per second, and the time of a body at this rate: more than 70 s, for what comes before the head does not count. */
const SLOW_RATE = 480_000;
const SLOW_MS = 75_000;

test(`${LOADS} page loads, in each the worker is stopped while it answers: whole, or an error`, async (t) => {
  const theatre = await open(t);
  const { gate, answered, files } = theatre;
  const { page } = theatre.viewer;
  const outcomes = new Map<string, number>();
  for (const file of files) {
    const { path, body, moment } = file;
    const { name, isWhole, from } = moment;
    await moment.interrupt(theatre, file);
    const { status, end } = await endOf(page);
    const right = sha256(from === undefined ? body : body.subarray(from, from + MAX_PIECE_BYTES));
    const outcome = `${name}: ${status}, ${end === right ? 'whole' : end}`;
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    if (isWhole) assert.equal(end, right, name);
    else assert.match(end!, /^TypeError/, name);
    await until('the answer as the worker’s', () => answered.has(path));
    gate.open();
    assert.equal((await takeAll(page, { path })).end, sha256(body), `${name}: asked again`);
  }
  for (const [outcome, times] of outcomes) t.diagnostic(`${times} times ${outcome}`);
});

for (const way of IS_LONG ? (['of the engine', 'of the network'] as const) : [])
  test(`a body ${way} that takes 70 s is whole: Firefox`, async (t) => {
    const [gate, line] = [new Gate(), new Line(SLOW_RATE)];
    const carry = (url: string): Transform | undefined => (url.endsWith('/slow.bin') ? line.carry() : gate.carry(url));
    const scene = await stage(t, [], FIXTURE_MEDIA, { carry });
    const firefox = await launchFirefox();
    t.after(() => firefox.close());
    const page = await firefox.browser.newPage();
    const body = randomBytes((SLOW_MS * SLOW_RATE) / 8000);
    const path = await listed(scene, 'slow.bin', body);
    await controlled(page, await scene.page('slow', `${TAKES}${KIT}<p2p-mesh></p2p-mesh>`));
    await until('its list', () => inPage(page, () => caches.has('p2p-elements')));
    // While the page has no manifest its engine can't be asked.
    if (way === 'of the network') gate.shut(MANIFEST);
    await page.reload();
    await begin(page, { path });
    await headOf(page);
    const isOfEngine = scene.proxy.matching(/slow\.bin/)[0]!.referrer?.endsWith(ENGINE_REFERRER);
    assert.equal(isOfEngine, way === 'of the engine');
    gate.open();
    const { end, took } = await endOf(page, 2 * SLOW_MS);
    t.diagnostic(`${(took / 1000).toFixed(1)} s from the head to the end`);
    assert.equal(end, sha256(body));
    assert.ok(took >= 70_000, `it took ${took.toFixed(0)} ms only`);
  });

interface TestFile {
  readonly load: number;
  readonly moment: Moment;
  readonly path: string;
  readonly body: Buffer;
}

interface Theatre {
  readonly scene: Stage;
  readonly gate: Gate;
  readonly viewer: Person;
  readonly neighbour: Person;
  readonly worker: WorkerStopper;
  /** Paths of answers that the viewer's worker gave. */
  readonly answered: Set<string>;
  /** URLs of a page with the kit, of the neighbour's, and of one without it. */
  readonly pages: { readonly viewer: string; readonly neighbour: string; readonly plain: string };
  /** One for each page load, so that none is on a disk before. */
  readonly files: readonly TestFile[];
}

async function open(t: TestContext): Promise<Theatre> {
  const gate = new Gate();
  const [scene, viewer, neighbour] = await Promise.all([stage(t, [], FIXTURE_MEDIA, gate), person(t), person(t)]);
  t.after(() => gate.open());
  const pages = {
    viewer: await scene.page('viewer', `${TAKES}${KIT}<p2p-mesh></p2p-mesh>`),
    neighbour: await scene.page('neighbour', `${TAKES}${KIT}<p2p-mesh max-upload="${NEIGHBOUR}"></p2p-mesh>`),
    plain: await scene.page('plain', TAKES),
  };
  const files: TestFile[] = [];
  for (let load = 0; load < LOADS; load++) {
    const moment = MOMENTS[load % MOMENTS.length]!;
    const body = randomBytes(moment.bytes ?? BYTES);
    files.push({ load, moment, body, path: await listed(scene, `body-${load}.bin`, body) });
  }
  await controlled(viewer.page, pages.viewer);
  await until('its list', () => inPage(viewer.page, () => caches.has('p2p-elements')));
  const answered = new Set<string>();
  viewer.page.on('response', (response) => {
    if (response.fromServiceWorker()) answered.add(new URL(response.url()).pathname);
  });
  return { scene, gate, viewer, neighbour, worker: await workerStopper(viewer), answered, pages, files };
}

/** The page asks before the kit has begun, so that the worker waits for its engine, and then for what that engine's manifest says. */
async function beforeManifest(theatre: Theatre, { load, path }: TestFile): Promise<void> {
  const { gate, viewer, pages } = theatre;
  for (const shut of [MANIFEST, path]) gate.shut(shut);
  forget(theatre);
  await viewer.goto(`${pages.viewer}?${load}&early=${path}`);
  await crossed(theatre, MANIFEST, 0);
  await stop(theatre, 0);
  gate.open();
}

async function beforeOrigin(theatre: Theatre, { load, path }: TestFile): Promise<void> {
  const { gate, viewer, pages } = theatre;
  gate.shut(path);
  forget(theatre);
  await viewer.goto(`${pages.viewer}?${load}`);
  await begin(viewer.page, { path });
  await crossed(theatre, path, 0);
  await stop(theatre, 0);
  gate.open();
}

/** The page takes nothing of the body until the worker is stopped. */
async function fromStore(theatre: Theatre, { load, path, moment: { from } }: TestFile): Promise<void> {
  const { viewer, pages, scene } = theatre;
  await viewer.goto(`${pages.viewer}?${load}`);
  await takeAll(viewer.page, { path });
  await kept(viewer.page, path);
  await viewer.page.reload();
  forget(theatre);
  await begin(viewer.page, { path, isHeld: true, ...(from !== undefined && { range: `bytes=${from}-` }) });
  await stop(theatre, from === undefined ? 200 : 206);
  await goOn(viewer.page);
  await endOf(viewer.page);
  assert.equal(scene.proxy.bytes(/\/body-/), 0, 'it did not come from the store');
}

async function fromNeighbour(theatre: Theatre, { load, path }: TestFile): Promise<void> {
  const { viewer, neighbour, pages, scene } = theatre;
  await controlled(neighbour.page, `${pages.neighbour}?${load}`);
  await takeAll(neighbour.page, { path });
  await viewer.goto(`${pages.viewer}?${load}`);
  await connected(viewer.page);
  forget(theatre);
  await begin(viewer.page, { path });
  await stop(theatre, 200);
  await endOf(viewer.page);
  assert.equal(scene.proxy.bytes(/\/body-/), 0, 'it did not come from the neighbour');
  await neighbour.goto('about:blank');
}

async function fromOrigin(theatre: Theatre, { load, path }: TestFile): Promise<void> {
  const { gate, viewer, pages } = theatre;
  const part = partFor(load);
  gate.shut(path, part);
  forget(theatre);
  await viewer.goto(`${pages.viewer}?${load}`);
  await begin(viewer.page, { path });
  await crossed(theatre, path, part);
  await stop(theatre, 200);
}

/** In a page without the kit the worker has nobody to ask. */
async function fromNetwork(theatre: Theatre, { load, path }: TestFile): Promise<void> {
  const { gate, viewer, pages, scene } = theatre;
  const part = partFor(load);
  gate.shut(path, part);
  forget(theatre);
  await viewer.goto(`${pages.plain}?${load}`);
  await begin(viewer.page, { path });
  await until('a part of it', () => scene.proxy.bytes(/\/body-/) >= part, { interval: 5 });
  await stop(theatre, 200);
}

/** Another part of a file with each load, in bytes. */
const partFor = (load: number): number => (BYTES * (1 + (load % 7))) / 8;

function forget({ scene, answered }: Theatre): void {
  scene.proxy.reset();
  answered.clear();
}

/** Waits until an engine has asked the origin and so many bytes have come. */
const crossed = ({ scene }: Theatre, path: string, bytes: number): Promise<boolean> =>
  until(
    `the engine’s request for ${path} and ${bytes} bytes`,
    () =>
      scene.proxy.requests.some(
        (request) => request.url === path && request.referrer?.endsWith(ENGINE_REFERRER) && request.bytes >= bytes,
      ),
    { interval: 5 },
  );

/** @param status of the answer, which is not at its end; 0: not even its head is here */
async function stop({ worker, viewer: { page } }: Theatre, status: number): Promise<void> {
  const seen = await (status === 0 ? takingOf(page) : headOf(page));
  assert.deepEqual([seen.status, seen.end, worker.isRunning()], [status, null, true]);
  await worker.stop();
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Waits until the service worker answers for the page. */
async function controlled(page: AnyPage, url: string): Promise<void> {
  await page.goto(url);
  await until('the service worker in control', () => inPage(page, () => navigator.serviceWorker.controller !== null));
}

/** Writes a file and waits until the manifest has it. @returns its path on the server */
async function listed(scene: Stage, name: string, body: Buffer): Promise<string> {
  const path = new URL(await scene.write(`own/${name}`, body)).pathname;
  await until(`${path} in the manifest`, async () => path in (await manifestOf(scene.server.url)), PATIENT);
  return path;
}

/** Waits until a file is on the page's disk. */
async function kept(page: AnyPage, path: string): Promise<void> {
  const { digest } = (await manifestOf(page.url()))[path]!;
  const isKept = (): Promise<boolean> =>
    inPage(
      page,
      async ({ cacheName, digest }) =>
        (await (await caches.open(cacheName)).keys()).some(({ url }) => url.includes(digest)),
      { cacheName: ASSET_CACHE, digest },
    );
  await until(`${path} on the disk`, isKept, PATIENT);
}

async function manifestOf(url: string): Promise<Record<string, { digest: string }>> {
  const response = await fetch(new URL(MANIFEST, url));
  return ((await response.json()) as { assets: Record<string, { digest: string }> }).assets;
}
