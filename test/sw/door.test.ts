import assert from 'node:assert/strict';
import test from 'node:test';
import { nameOf } from '../../protocol/digest.ts';
import type { Digest } from '../../protocol/ids.ts';
import type { AssetAnswer, ShareableFile } from '../../protocol/page.ts';
import { ENGINE_ELSEWHERE } from '../../protocol/worker.ts';
import { Documents } from '../../sw/documents.ts';
import { Door } from '../../sw/door.ts';
import { EnginePort } from '../../sw/engine-port.ts';
import { ShareableList } from '../../sw/shareable-list.ts';
import { nodeSha256 } from '../mesh/world/test-asset.ts';
import { FakeCaches } from './fake-caches.ts';
import { FakePort } from './fake-port.ts';

const ORIGIN = 'https://school.test';
const BODY = new TextEncoder().encode('from the store or from peers');
const fileOf = (path: string): ShareableFile => ({
  url: `${ORIGIN}${path}`,
  size: BODY.length,
  type: 'image/png',
  parts: ['ab'.repeat(32) as Digest],
});
const PAGE = await nameOf(Uint8Array.from(Buffer.from('the page')), nodeSha256);
const ELSEWHERE: ShareableFile = { ...fileOf('/map.png'), url: 'https://cdn.test/map.png' };
const LISTED = [
  ...['/map.png', '/style.css', '/', '/worker.js'].map(fileOf),
  { ...fileOf('/page.html'), size: PAGE.size, parts: [PAGE.digest] },
  ELSEWHERE,
];

interface Scene {
  /** What an earlier visit was told. */
  readonly earlier?: readonly ShareableFile[];
  /** What this page's engine says; null: it has none. */
  readonly now?: readonly ShareableFile[] | null;
  readonly isStored?: boolean;
  readonly stored?: () => Response;
  readonly network?: () => Promise<Response>;
  /** What the engine answers to a read. */
  readonly engine?: 'gives' | 'passes';
  /** Does the page give another port before its manifest is known? */
  readonly isReplaced?: boolean;
  /** Has the worker just started, and not read its list yet? */
  readonly isUnread?: boolean;
  /** Does the page let be shared what is not listed? Then what its engine says to a `load`; undefined: it does not. */
  readonly unlisted?: AssetAnswer | undefined;
}

async function setUp({
  earlier = LISTED,
  now = LISTED,
  isStored = false,
  stored,
  network = () => Promise.resolve(page('from the network')),
  engine = 'gives',
  isReplaced = false,
  isUnread = false,
  unlisted,
}: Scene = {}) {
  const caches = new FakeCaches();
  const list = new ShareableList(caches.asStorage());
  await list.update('/', earlier);
  await list.noteUnverified('/', unlisted !== undefined);
  const fetched: string[] = [];
  const passed: string[] = [];
  const fake = new FakePort();
  fake.hears = (question) => {
    if (question.type === 'load' && unlisted) queueMicrotask(() => fake.say({ ...unlisted, id: question.id }));
    if (question.type !== 'read') return;
    if (engine === 'gives') queueMicrotask(() => fake.give(question.id, BODY.slice(question.from, question.to)));
    else queueMicrotask(() => fake.say({ type: 'pass', id: question.id }));
  };
  const port = now && new EnginePort(fake as unknown as MessagePort, () => undefined, unlisted !== undefined);
  if (now) fake.say({ type: 'shareable', files: now });
  const waited: boolean[] = [];
  const older = isReplaced ? new EnginePort(new FakePort() as unknown as MessagePort, () => undefined) : null;
  const door = new Door({
    webOrigin: ORIGIN,
    engineReferrer: `${ORIGIN}/p2p-engine`,
    list: isUnread ? new ShareableList(caches.asStorage()) : list,
    ports: {
      find: async (_, mayWait) => {
        waited.push(mayWait);
        if (!older || older.isClosed) return port;
        setImmediate(() => older.close());
        return older;
      },
      findUnverified: async () => (port?.sharesUnverified === true ? port : null),
    },
    documents: new Documents(caches.asStorage(), nodeSha256),
    stored: async (_, { start, end }) => (isStored ? (stored?.() ?? new Blob([BODY.slice(start, end)])) : null),
    fetch: (request) => {
      fetched.push(`${request.url}${request.credentials === 'omit' ? ' without cookies' : ''}`);
      return network();
    },
    passing: {
      through: (response, clientId) => {
        passed.push(clientId);
        return response;
      },
    },
  });
  return { door, passed, fetched, fake, waited, list };
}

/** An answer as the page's own origin gives it. */
const page = (text: string): Response =>
  Object.defineProperties(new Response(text), { type: { value: 'basic' }, clone: { value: () => page(text) } });
const gone = (): Promise<Response> => Promise.reject(new TypeError('offline'));

/** A request as a browser makes it; Node's own has neither destination nor navigation. */
function requestOf(
  path: string,
  facts: { mode?: string; credentials?: string; destination?: string; method?: string } = {},
  headers = {},
): Request {
  const { method = 'GET', ...rest } = facts;
  const request = new Request(new URL(path, ORIGIN), { method, headers });
  for (const [name, value] of Object.entries({
    mode: 'no-cors',
    destination: 'image',
    referrer: `${ORIGIN}/`,
    ...rest,
  }))
    Object.defineProperty(request, name, { value });
  return request;
}
const NAVIGATION = { mode: 'navigate', destination: 'document' };

const textOf = async (answer: Promise<Response> | null): Promise<string | undefined> => (await answer)?.text();

test('what is not listed goes its way, at once', async () => {
  const { door, fetched } = await setUp();
  assert.equal(door.answer(requestOf('/other.png'), 'c'), null);
  assert.equal(door.answer(requestOf('/other', NAVIGATION), ''), null);
  assert.equal(door.answer(requestOf('/map.png', { method: 'POST' }), 'c'), null);
  assert.deepEqual(fetched, []);
});

test('what is on this device is given from there, and the engine hears of it', async () => {
  const { door, fake, fetched } = await setUp({ isStored: true });
  assert.equal(await textOf(door.answer(requestOf('/map.png#top'), 'c')), 'from the store or from peers');
  assert.deepEqual(fake.questions, [{ type: 'served', digests: LISTED[0]!.parts, bytes: BODY.length }]);
  assert.deepEqual(fetched, []);
});

test('what is not comes from the engine, a range too', async () => {
  const { door, fake, fetched } = await setUp();
  const answer = await door.answer(requestOf('/map.png', {}, { range: 'bytes=5-7' }), 'c');
  assert.deepEqual([answer?.status, answer?.headers.get('content-range')], [206, `bytes 5-7/${BODY.length}`]);
  assert.equal(await answer?.text(), 'the');
  assert.equal(fake.reads.length, 1);
  assert.deepEqual(fetched, []);
});

test('what is listed of another web origin too, if it is read by CORS; else, and for the engine itself, it goes its way', async () => {
  const { door, fetched } = await setUp();
  const cors = { mode: 'cors', credentials: 'same-origin' };
  assert.equal(await textOf(door.answer(requestOf(ELSEWHERE.url, cors), 'c')), 'from the store or from peers');
  const others = [{ credentials: 'include' }, { mode: 'cors', credentials: 'include' }, NAVIGATION];
  const marked = { ...cors, ...ENGINE_ELSEWHERE, destination: '' };
  for (const facts of [...others, marked]) assert.equal(door.answer(requestOf(ELSEWHERE.url, facts), 'c'), null);
  assert.deepEqual(fetched, []);
});

test('what was kept as one is given as it was kept, and as a part if that is what was asked for', async () => {
  const kept = new Response(BODY, { headers: { 'x-kept': 'yes' } });
  const { door } = await setUp({ isStored: true, stored: () => kept.clone() });
  const whole = await door.answer(requestOf('/map.png'), 'c');
  assert.deepEqual([whole?.status, whole?.headers.get('x-kept')], [200, 'yes']);
  const range = { range: `bytes=0-${BODY.length - 1}` };
  const part = await door.answer(requestOf('/map.png', {}, range), 'c');
  assert.deepEqual([part?.status, part?.headers.get('content-length')], [206, String(BODY.length)]);
  assert.equal(await part?.text(), 'from the store or from peers');
});

test('a part that is all of what was kept as one is given as a Blob, which outlives the worker', async () => {
  const withoutStream = (): Response => Object.defineProperty(new Response(BODY), 'body', { value: null });
  const { door } = await setUp({ isStored: true, stored: withoutStream });
  const answer = await door.answer(requestOf('/map.png', {}, { range: 'bytes=0-' }), 'c');
  assert.equal(answer?.status, 206);
  assert.equal(await answer.text(), 'from the store or from peers');
});

test('what comes from the network is seen to its end, if the page has the kit and the browser does not compile it', async () => {
  const { door, passed } = await setUp({ engine: 'passes' });
  assert.equal(await textOf(door.answer(requestOf('/map.png'), 'c')), 'from the network');
  assert.deepEqual(passed, ['c']);
  await door.answer(requestOf('/style.css', { destination: 'style' }), 'd');
  assert.deepEqual(passed, ['c']);
  const without = await setUp({ now: null });
  assert.equal(await textOf(without.door.answer(requestOf('/map.png'), 'c')), 'from the network');
  assert.deepEqual(without.passed, []);
});

test('so is what is not listed, where the worker has to read its list first', async () => {
  const { door, passed } = await setUp({ isUnread: true });
  assert.equal(await textOf(door.answer(requestOf('/other.bin', { destination: '' }), 'c')), 'from the network');
  assert.deepEqual(passed, ['c']);
});

test('HEAD and conditions are answered without a body from anywhere', async () => {
  const { door, fake, fetched } = await setUp({ isStored: true });
  const head = await door.answer(requestOf('/map.png', { method: 'HEAD' }), 'c');
  assert.deepEqual([head?.status, head?.headers.get('content-length')], [200, String(BODY.length)]);
  const etag = head?.headers.get('etag');
  const same = await door.answer(requestOf('/map.png', {}, { 'if-none-match': etag }), 'c');
  assert.equal(same?.status, 304);
  assert.deepEqual([fake.questions, fetched], [[], []]);
});

for (const [what, scene] of [
  ['the engine has no way to it', { engine: 'passes' }],
  ['the page has no engine', { now: null }],
  ['the page’s manifest does not list it any more', { now: [], isStored: true }],
] as const)
  test(`the network is asked as the page would have where ${what}`, async () => {
    const { door, fetched } = await setUp(scene);
    assert.equal(await textOf(door.answer(requestOf('/map.png'), 'c')), 'from the network');
    assert.deepEqual(fetched, [`${ORIGIN}/map.png`]);
  });

test('another version than an earlier visit knew is asked for by its own digest', async () => {
  const digest = 'cd'.repeat(32) as Digest;
  const { door, fake } = await setUp({ now: [{ ...LISTED[0]!, parts: [digest] }] });
  await textOf(door.answer(requestOf('/map.png'), 'c'));
  assert.equal(fake.reads[0]?.name.digest, digest);
});

test('a style sheet does not wait for the engine, an image does', async () => {
  const { door, waited } = await setUp();
  await door.answer(requestOf('/style.css', { destination: 'style' }), 'c');
  await door.answer(requestOf('/map.png'), 'c');
  assert.deepEqual([waited[0], waited.at(-1)], [false, true]);
});

test('where the network is gone too what was kept is given, else its error', async () => {
  const kept = await setUp({ now: null, isStored: true, network: gone });
  assert.equal(await textOf(kept.door.answer(requestOf('/map.png'), 'c')), 'from the store or from peers');
  const lost = await setUp({ now: null, network: gone });
  await assert.rejects(lost.door.answer(requestOf('/map.png'), 'c')!, /offline/);
});

test('an error of the origin is passed on as it is', async () => {
  const { door } = await setUp({
    engine: 'passes',
    isStored: false,
    network: () => Promise.resolve(new Response('no', { status: 403 })),
  });
  assert.equal((await door.answer(requestOf('/map.png'), 'c'))?.status, 403);
});

test('a page comes from the network as long as there is one, and then as it was, whatever its query', async () => {
  let network = (): Promise<Response> => Promise.resolve(page('the page'));
  const { door } = await setUp({ network: () => network() });
  assert.equal(await textOf(door.answer(requestOf('/page.html?x=1', NAVIGATION), '')), 'the page');
  await new Promise((resolve) => setImmediate(resolve));
  network = gone;
  assert.equal(await textOf(door.answer(requestOf('/page.html?y=2', NAVIGATION), '')), 'the page');
  await assert.rejects(door.answer(requestOf('/', NAVIGATION), '')!, /offline/);
});

test('a worker’s script comes from the network, else from the store', async () => {
  const { door } = await setUp({ network: gone, isStored: true });
  const worker = requestOf('/worker.js', { mode: 'same-origin', destination: 'worker' });
  assert.equal(await textOf(door.answer(worker, 'c')), 'from the store or from peers');
});

test('a page that nobody saw come is kept when it tells what is listed, once', async () => {
  let network = (): Promise<Response> => Promise.resolve(page('the page'));
  const { door, fetched } = await setUp({ network: () => network() });
  await door.keepPage(`${ORIGIN}/page.html?x=1#y`);
  await door.keepPage(`${ORIGIN}/page.html`);
  await door.keepPage(`${ORIGIN}/unlisted.html`);
  assert.deepEqual(fetched, [`${ORIGIN}/page.html`]);
  network = gone;
  assert.equal(await textOf(door.answer(requestOf('/page.html', NAVIGATION), '')), 'the page');
});

test('one that is not as listed is asked for once, not at each word of the page', async () => {
  const { door, fetched, list } = await setUp({ network: () => Promise.resolve(page('Hello Ann!')) });
  for (let i = 0; i < 3; i++) await door.keepPage(`${ORIGIN}/page.html`);
  assert.equal(fetched.length, 1);
  await list.update('/', [fileOf('/page.html')]);
  await door.keepPage(`${ORIGIN}/page.html`);
  assert.equal(fetched.length, 2);
});

test('where the origin is gone and with it the manifest, what an earlier visit was told comes from neighbours', async () => {
  const { door, fetched } = await setUp({ now: [], network: gone });
  assert.equal(await textOf(door.answer(requestOf('/map.png'), 'c')), 'from the store or from peers');
  assert.deepEqual(fetched, [`${ORIGIN}/map.png`]);
});

test('nor do errors of the origin stand above what is here', async () => {
  const network = (): Promise<Response> => Promise.resolve(new Response('down', { status: 503 }));
  const stored = await setUp({ now: [], isStored: true, network });
  assert.equal(await textOf(stored.door.answer(requestOf('/map.png'), 'c')), 'from the store or from peers');
  const nowhere = await setUp({ now: [], engine: 'passes', network });
  assert.equal((await nowhere.door.answer(requestOf('/map.png'), 'c'))?.status, 503);
});

test('but where the origin answers it has the word', async () => {
  const { door } = await setUp({ now: [], isStored: true });
  assert.equal(await textOf(door.answer(requestOf('/map.png'), 'c')), 'from the network');
});

test('before the list is read from the cache a request waits for it', async () => {
  const caches = new FakeCaches();
  const before = new ShareableList(caches.asStorage());
  await before.update('/', LISTED);
  const list = new ShareableList(caches.asStorage());
  const nobody = () => Promise.resolve(null);
  const ports = { find: nobody, findUnverified: nobody };
  const door = new Door({
    webOrigin: ORIGIN,
    engineReferrer: `${ORIGIN}/p2p-engine`,
    list,
    ports,
    documents: new Documents(caches.asStorage(), nodeSha256),
    stored: () => Promise.resolve(new Blob([BODY])),
    fetch: gone,
    passing: { through: (response) => response },
  });
  assert.equal(await textOf(door.answer(requestOf('/map.png'), 'c')), 'from the store or from peers');
  assert.equal(door.answer(requestOf('/other.png'), 'c'), null);
});

test('a page that gives another port before its manifest is known is asked over that one', async () => {
  const { door, fetched, fake } = await setUp({ isReplaced: true });
  assert.equal(await textOf(door.answer(requestOf('/map.png'), 'c')), 'from the store or from peers');
  assert.deepEqual([fetched.length, fake.reads.length], [0, 1]);
});

const FRESH = { 'content-type': 'image/png', 'cache-control': 'max-age=60' };
const PASS = { type: 'pass', id: 0 } as const;
const BRINGS = { ...PASS, brings: true } as const;
const GIVEN: AssetAnswer = {
  type: 'loaded',
  id: 0,
  body: BODY.slice().buffer,
  contentType: 'image/png',
  source: 'peers',
  shared: true,
  url: '',
};

test('where the page lets be shared what is not listed, an image that neighbours have comes from them', async () => {
  const { door, fake, fetched } = await setUp({ unlisted: GIVEN });
  const answer = await door.answer(requestOf('/other.png'), 'c');
  assert.equal(await answer?.text(), 'from the store or from peers');
  assert.equal(answer?.headers.get('content-type'), 'image/png');
  const [question] = fake.questions;
  assert.deepEqual(question?.type === 'load' && [question.url, question.use, question.unlisted], [
    `${ORIGIN}/other.png`,
    'image',
    'pass',
  ]);
  assert.deepEqual(fetched, []);
});

test('of such an image a range is given too', async () => {
  const { door } = await setUp({ unlisted: GIVEN });
  const answer = await door.answer(requestOf('/other.mp4', { destination: 'video' }, { range: 'bytes=5-7' }), 'c');
  assert.deepEqual([answer?.status, await answer?.text()], [206, 'the']);
});

test('where the engine says so the worker brings it without cookies, and tells what came', async () => {
  const network = (): Promise<Response> =>
    Promise.resolve(new Response('all of it', { headers: { ...FRESH, 'content-length': '9' } }));
  const { door, fake, fetched } = await setUp({ unlisted: BRINGS, network });
  assert.equal(await textOf(door.answer(requestOf('/other.png'), 'c')), 'all of it');
  await new Promise((resolve) => setImmediate(resolve));
  const told = fake.questions.at(-1);
  assert.ok(told?.type === 'brought' && told.answer && told.answer !== 'private');
  assert.equal(new TextDecoder().decode(told.answer.body), 'all of it');
  assert.deepEqual([told.answer.contentType, told.answer.headers['cache-control']], ['image/png', 'max-age=60']);
  assert.deepEqual(fetched, [`${ORIGIN}/other.png without cookies`]);
});

test('what its headers keep from others the page gets as it would have, and the engine hears that it may not', async () => {
  const network = (): Promise<Response> =>
    Promise.resolve(new Response('yours', { headers: { ...FRESH, 'cache-control': 'private' } }));
  const { door, fake, fetched } = await setUp({ unlisted: BRINGS, network });
  assert.equal(await textOf(door.answer(requestOf('/other.png'), 'c')), 'yours');
  assert.deepEqual(fake.questions.at(-1), { type: 'brought', url: `${ORIGIN}/other.png`, answer: 'private' });
  assert.deepEqual(fetched, [`${ORIGIN}/other.png without cookies`, `${ORIGIN}/other.png`]);
});

test('who asks for a part of it brings nothing', async () => {
  const { door, fake, fetched } = await setUp({ unlisted: BRINGS });
  await door.answer(requestOf('/other.mp4', { destination: 'video' }, { range: 'bytes=100-' }), 'c');
  assert.deepEqual(fake.questions.at(-1), { type: 'brought', url: `${ORIGIN}/other.mp4`, answer: null });
  assert.deepEqual(fetched, [`${ORIGIN}/other.mp4`]);
});

for (const destination of ['', 'script', 'style', 'font', 'worker', 'document', 'iframe'])
  test(`what runs, or decides what runs, is never shared without a digest: ${destination || 'fetch()'}`, async () => {
    const { door, fake } = await setUp({ unlisted: GIVEN });
    assert.equal(door.answer(requestOf('/other', { destination }), 'c'), null);
    assert.deepEqual(fake.questions, []);
  });

test('nor what the page asks the origin for anew, or of another origin, or where its engine does not say so', async () => {
  const { door, fake } = await setUp({ unlisted: GIVEN });
  const anew = requestOf('/other.png');
  Object.defineProperty(anew, 'cache', { value: 'no-cache' });
  assert.equal(door.answer(anew, 'c'), null);
  assert.equal(door.answer(requestOf('https://elsewhere.test/other.png'), 'c'), null);
  assert.deepEqual(fake.questions, []);
  const { door: passing, fetched } = await setUp({ unlisted: PASS });
  await passing.answer(requestOf('/other.png'), 'c');
  assert.deepEqual(fetched, [`${ORIGIN}/other.png`]);
});
