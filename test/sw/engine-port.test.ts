import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { Digest } from '../../protocol/ids.ts';
import type { ShareableFile } from '../../protocol/page.ts';
import { EnginePort, type Piece } from '../../sw/engine-port.ts';
import { ENGINE_SILENCE_MS, HEARD_MS, LIST_WAIT_MS } from '../../sw/limits.ts';
import { FakePort, type Read } from './fake-port.ts';

const DIGEST = 'ab'.repeat(32) as Digest;
const URL_A = 'https://school.test/a.png';
const FILE: ShareableFile = { url: URL_A, size: 100, type: 'image/png', parts: [DIGEST] };
const PIECE: Piece = { url: URL_A, name: { digest: DIGEST, size: 100 }, range: null, from: 10, to: 30 };

function setUp(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const fake = new FakePort();
  const lists: (readonly ShareableFile[])[] = [];
  const port = new EnginePort(fake as unknown as MessagePort, (files) => lists.push(files));
  const heard: string[] = [];
  const read = (pull = 8) =>
    port.read(PIECE, pull, 120, {
      chunk: (bytes) => heard.push(`${bytes.length} bytes`),
      broken: () => heard.push('broken'),
    });
  return { fake, port, lists, heard, read };
}

const bytes = (length: number): Uint8Array => new Uint8Array(length);

test('a piece is asked for with the time that has passed, and given as it comes', (t) => {
  const { fake, heard, read } = setUp(t);
  const reading = read();
  assert.deepEqual(fake.questions, [{ type: 'read', id: 1, ...PIECE, age: 120, pull: 8 }]);
  fake.give(1, bytes(5));
  fake.give(1, bytes(3));
  reading.pull(12);
  assert.deepEqual(fake.questions[1], { type: 'pull', id: 1, bytes: 12 });
  fake.give(1, bytes(12));
  assert.deepEqual(heard, ['5 bytes', '3 bytes', '12 bytes']);
  reading.pull(5);
  t.mock.timers.tick(ENGINE_SILENCE_MS * 2);
  assert.equal(fake.questions.length, 2, 'what is whole is neither asked for nor given up');
  assert.equal(heard.length, 3);
});

for (const message of [
  { type: 'pass', id: 1 },
  { type: 'failed', id: 1, code: 'origin-failed', message: '', status: 0 },
] as const)
  test(`a piece that the engine answers with ${message.type} is broken, once`, (t) => {
    const { fake, heard, read } = setUp(t);
    read();
    fake.say(message);
    fake.say(message);
    fake.give(1, bytes(5));
    t.mock.timers.tick(ENGINE_SILENCE_MS);
    assert.deepEqual(heard, ['broken']);
  });

test('a page that does not answer is given up soon, and told so', (t) => {
  const { fake, heard, read } = setUp(t);
  read();
  t.mock.timers.tick(HEARD_MS - 1);
  assert.deepEqual(heard, []);
  t.mock.timers.tick(1);
  assert.deepEqual(heard, ['broken']);
  assert.deepEqual(fake.questions.at(-1), { type: 'abort', id: 1 });
});

test('an engine that was heard of is given time, and more with each byte', (t) => {
  const { fake, heard, read } = setUp(t);
  read(20);
  fake.say({ type: 'progress', id: 1, loaded: 0, total: 0 });
  for (let i = 0; i < 5; i++) {
    t.mock.timers.tick(ENGINE_SILENCE_MS - 1);
    fake.give(1, bytes(1));
  }
  assert.equal(heard.includes('broken'), false);
  t.mock.timers.tick(ENGINE_SILENCE_MS);
  assert.equal(heard.at(-1), 'broken');
});

test('an engine that owes nothing may be silent for as long as nobody pulls', (t) => {
  const { fake, heard, read } = setUp(t);
  const reading = read(8);
  fake.give(1, bytes(8));
  t.mock.timers.tick(100 * ENGINE_SILENCE_MS);
  assert.deepEqual(heard, ['8 bytes']);
  reading.pull(1);
  t.mock.timers.tick(ENGINE_SILENCE_MS);
  assert.deepEqual(heard, ['8 bytes', 'broken']);
});

test('an abort is passed on, and what comes afterwards is ignored', (t) => {
  const { fake, heard, read } = setUp(t);
  read().abort();
  fake.give(1, bytes(5));
  t.mock.timers.tick(ENGINE_SILENCE_MS);
  assert.deepEqual(heard, []);
  assert.deepEqual(fake.questions.at(-1), { type: 'abort', id: 1 });
});

test('bytes go to the question with their number', (t) => {
  const { fake, heard, read } = setUp(t);
  read();
  read();
  fake.give(99, bytes(1));
  fake.give(2, bytes(2));
  fake.say({ type: 'pass', id: 1 });
  assert.deepEqual(heard, ['2 bytes', 'broken']);
});

test('what was given from the store is told', (t) => {
  const { fake, port } = setUp(t);
  port.served(FILE, 12);
  assert.deepEqual(fake.questions, [{ type: 'served', digests: [DIGEST], bytes: 12 }]);
});

test('a closed port leaves nobody waiting', (t) => {
  const { fake, port, heard, read } = setUp(t);
  read();
  port.close();
  assert.deepEqual(heard, ['broken']);
  assert.equal(fake.closed, true);
});

test('what the manifest lists is passed on, and known by URL', async (t) => {
  const { fake, port, lists } = setUp(t);
  const finding = port.file(URL_A);
  fake.say({ type: 'shareable', files: [FILE] });
  assert.deepEqual(lists, [[FILE]]);
  assert.deepEqual([await finding, await port.file('https://school.test/b.png')], [FILE, undefined]);
});

test('a page that never tells what its manifest lists is waited for once, and believed later', async (t) => {
  const { fake, port } = setUp(t);
  const finding = port.file(URL_A);
  t.mock.timers.tick(LIST_WAIT_MS);
  assert.equal(await finding, undefined);
  assert.equal(await port.file(URL_A), undefined, 'at once');
  fake.say({ type: 'shareable', files: [FILE] });
  assert.deepEqual(await port.file(URL_A), FILE);
});

test('over a real MessageChannel bytes come as they were sent', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { port1, port2 } = new MessageChannel();
  t.after(() => port1.close());
  port2.onmessage = ({ data }: MessageEvent<Read>) =>
    port2.postMessage({ type: 'chunk', id: data.id, bytes: Uint8Array.of(1, 2, 3).buffer });
  const got = await new Promise<Uint8Array>((resolve, reject) =>
    new EnginePort(port1, () => undefined).read(PIECE, 8, 0, { chunk: resolve, broken: () => reject(new Error()) }),
  );
  assert.deepEqual(got, Uint8Array.of(1, 2, 3));
});
