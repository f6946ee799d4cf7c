import assert from 'node:assert/strict';
import test from 'node:test';
import type { Digest } from '../../protocol/ids.ts';
import { MAX_PART_BYTES } from '../../protocol/limits.ts';
import type { AssetQuestion, ShareableFile } from '../../protocol/page.ts';
import { AssetBody, pieceAt } from '../../sw/asset-body.ts';
import { EnginePort } from '../../sw/engine-port.ts';
import { READ_AHEAD_BYTES } from '../../sw/limits.ts';
import { FakePort, type Read } from './fake-port.ts';

const digests = [1, 2, 3].map((i) => `${i}${'0'.repeat(63)}` as Digest);
const URL_A = 'https://school.test/film.mp4';
const whole = (size: number): ShareableFile => ({ url: URL_A, size, type: 'video/mp4', parts: digests.slice(0, 1) });
const LONG: ShareableFile = { url: URL_A, size: 2 * MAX_PART_BYTES + 5, type: 'video/mp4', parts: digests };
const never = new AbortController().signal;

/** What byte stands where. */
const byteAt = (index: number): number => (index * 31 + (index >> 8)) & 255;
const bytesOf = (start: number, end: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length: end - start }, (_, i) => byteAt(start + i));

/** An engine that says that it heard, as a page's does, and gives what is pulled, up to a number of bytes in all; then it breaks off. */
function engine(until = Infinity, chunk = Infinity, checked = true): FakePort {
  const port = new FakePort();
  const open = new Map<number, { read: Read; at: number }>();
  let given = 0;
  const give = (id: number, most: number): void => {
    const reading = open.get(id);
    if (!reading) return;
    const { read } = reading;
    const bytes = Math.min(most, read.to - reading.at, until - given);
    const start = (read.range?.start ?? 0) + reading.at;
    reading.at += bytes;
    given += bytes;
    for (let at = start; at < start + bytes; at += chunk) {
      const end = Math.min(start + bytes, at + chunk);
      (chunk < Infinity ? setImmediate : queueMicrotask)(() => port.give(id, bytesOf(at, end), checked));
    }
    if (given >= until)
      queueMicrotask(() => port.say({ type: 'failed', id, code: 'origin-failed', message: '', status: 0 }));
  };
  port.hears = (question: AssetQuestion) => {
    if (question.type === 'read') {
      open.set(question.id, { read: question, at: question.from });
      queueMicrotask(() => port.say({ type: 'progress', id: question.id, loaded: 0, total: 0 }));
      give(question.id, question.pull);
    } else if (question.type === 'pull') give(question.id, question.bytes);
    else if (question.type === 'abort') open.delete(question.id);
  };
  return port;
}

const portTo = (fake: FakePort): EnginePort => new EnginePort(fake as unknown as MessagePort, () => undefined);
const found =
  (...ports: (EnginePort | null)[]) =>
  () =>
    Promise.resolve(ports.length > 1 ? ports.shift()! : (ports[0] ?? null));

const turns = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
};

test('a file of one asset is one piece; one in parts is read part by part', () => {
  assert.deepEqual(pieceAt(whole(50), { start: 3, end: 20 }), {
    url: URL_A,
    name: { digest: digests[0], size: 50 },
    range: null,
    from: 3,
    to: 20,
  });
  assert.deepEqual(pieceAt(LONG, { start: MAX_PART_BYTES - 1, end: LONG.size }), {
    url: URL_A,
    name: { digest: digests[0], size: MAX_PART_BYTES },
    range: { start: 0, end: MAX_PART_BYTES },
    from: MAX_PART_BYTES - 1,
    to: MAX_PART_BYTES,
  });
  assert.deepEqual(pieceAt(LONG, { start: 2 * MAX_PART_BYTES + 1, end: LONG.size }), {
    url: URL_A,
    name: { digest: digests[2], size: 5 },
    range: { start: 2 * MAX_PART_BYTES, end: LONG.size },
    from: 1,
    to: 5,
  });
});

test('all bytes come in order', async () => {
  const body = new AssetBody(whole(1_000_000), { start: 100, end: 900_000 }, found(portTo(engine())));
  assert.equal(await body.begin(0, never), true);
  assert.deepEqual(new Uint8Array(await new Response(body.stream).arrayBuffer()), bytesOf(100, 900_000));
});

test('over the border of two parts too', async () => {
  const range = { start: MAX_PART_BYTES - 1000, end: MAX_PART_BYTES + 1000 };
  const body = new AssetBody(LONG, range, found(portTo(engine())));
  assert.equal(await body.begin(0, never), true);
  assert.deepEqual(new Uint8Array(await new Response(body.stream).arrayBuffer()), bytesOf(range.start, range.end));
});

test('and where what was asked for beyond the border comes with the next part, in small pieces to who waits', async () => {
  const range = { start: MAX_PART_BYTES - 100_000, end: MAX_PART_BYTES + 100_000 };
  const body = new AssetBody(LONG, range, found(portTo(engine(Infinity, 1000))));
  assert.equal(await body.begin(0, never), true);
  const read = new Response(body.stream).arrayBuffer();
  const late = new Promise<never>((_, reject) => setTimeout(() => reject(new Error('it hangs')), 5000).unref());
  assert.deepEqual(new Uint8Array(await Promise.race([read, late])), bytesOf(range.start, range.end));
});

test('what nobody takes is not asked for', async () => {
  const fake = engine();
  const body = new AssetBody(whole(10_000_000), { start: 0, end: 10_000_000 }, found(portTo(fake)));
  await body.begin(0, never);
  await turns();
  const pulled = (): number =>
    fake.questions.reduce(
      (sum, question) =>
        sum + (question.type === 'read' ? question.pull : question.type === 'pull' ? question.bytes : 0),
      0,
    );
  assert.equal(pulled(), READ_AHEAD_BYTES);
  const reader = body.stream.getReader();
  const { value } = await reader.read();
  await turns();
  assert.equal(pulled(), READ_AHEAD_BYTES + value!.length);
});

test('where the engine gives nothing the network is to be asked', async () => {
  const nothing = new AssetBody(whole(50), { start: 0, end: 50 }, found(portTo(engine(0))));
  assert.equal(await nothing.begin(0, never), false);
  const nobody = new AssetBody(whole(50), { start: 0, end: 50 }, found(null));
  assert.equal(await nobody.begin(0, never), false);
});

test('an answer whose engine is gone goes on with the next, from where it was', async () => {
  const next = engine();
  const body = new AssetBody(whole(900_000), { start: 0, end: 900_000 }, found(portTo(engine(400_000)), portTo(next)));
  await body.begin(0, never);
  assert.deepEqual(new Uint8Array(await new Response(body.stream).arrayBuffer()), bytesOf(0, 900_000));
  assert.equal(next.reads[0]?.from, 400_000);
});

test('what was given unchecked is continued by no other reading, and by no other part', async () => {
  const next = engine();
  const unchecked = (until: number): EnginePort => portTo(engine(until, Infinity, false));
  const body = new AssetBody(whole(900_000), { start: 0, end: 900_000 }, found(unchecked(400_000), portTo(next)));
  await body.begin(0, never);
  await assert.rejects(new Response(body.stream).arrayBuffer(), TypeError);
  const range = { start: MAX_PART_BYTES - 1000, end: MAX_PART_BYTES + 1000 };
  const long = new AssetBody(LONG, range, found(unchecked(Infinity), portTo(next)));
  await long.begin(0, never);
  await assert.rejects(new Response(long.stream).arrayBuffer(), TypeError);
  assert.deepEqual(next.reads, []);
});

test('an answer that can not go on is an error, never short', async () => {
  const body = new AssetBody(whole(900_000), { start: 0, end: 900_000 }, found(portTo(engine(400_000)), null));
  await body.begin(0, never);
  await assert.rejects(new Response(body.stream).arrayBuffer(), TypeError);
});

test('an answer that is not wanted any more is asked for no longer', async () => {
  const fake = engine();
  const body = new AssetBody(whole(10_000_000), { start: 0, end: 10_000_000 }, found(portTo(fake)));
  await body.begin(0, never);
  await body.stream.cancel();
  await turns();
  assert.equal(fake.questions.at(-1)?.type, 'abort');
});

test('a request that is aborted before its first byte asks for no more', async () => {
  const fake = new FakePort();
  const controller = new AbortController();
  const body = new AssetBody(whole(50), { start: 0, end: 50 }, found(portTo(fake)));
  const beginning = body.begin(0, controller.signal);
  await turns();
  controller.abort();
  assert.equal(await beginning, false);
  assert.equal(fake.questions.at(-1)?.type, 'abort');
});
