import assert from 'node:assert/strict';
import test from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { MAX_PIECE_BYTES } from '../../sw/limits.ts';
import { isLong, Passing } from '../../sw/passing.ts';

function setUp() {
  const heard: unknown[] = [];
  const client = { id: 'c', postMessage: (message: unknown) => void heard.push(message) };
  const passing = new Passing(async (id) => (id === client.id ? client : undefined));
  return { passing, client, heard };
}

/** An answer of the page's own origin, of which the test gives the bytes. */
function answer(headers: Record<string, string> = {}, facts: { type?: string; redirected?: boolean } = {}) {
  const { readable, writable } = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>();
  const response = new Response(readable, { status: 206, headers });
  for (const [name, value] of Object.entries({ type: 'basic', ...facts }))
    Object.defineProperty(response, name, { value });
  return { response, writer: writable.getWriter() };
}

const CALL = { type: 'p2p-call-please' };

test('as long as an answer passes, its page is asked to call, and again whenever it has called', async () => {
  const { passing, client, heard } = setUp();
  const { response, writer } = answer({ 'content-type': 'text/plain' });
  const passed = passing.through(response, 'c');
  assert.deepEqual([passed.status, passed.headers.get('content-type')], [206, 'text/plain']);
  await turn();
  assert.deepEqual(heard, [CALL]);
  passing.called(client);
  assert.deepEqual(heard, [CALL, CALL]);
  const text = passed.text();
  await writer.write(new TextEncoder().encode('all of it'));
  await writer.close();
  assert.equal(await text, 'all of it');
  await turn();
  passing.called(client);
  assert.equal(heard.length, 2);
});

test('two answers to one page are one question', async () => {
  const { passing, heard } = setUp();
  passing.through(answer().response, 'c');
  await turn();
  passing.through(answer().response, 'c');
  await turn();
  assert.deepEqual(heard, [CALL]);
});

test('a page that was asked is not asked again before it calls, whatever ended meanwhile', async () => {
  const { passing, client, heard } = setUp();
  const first = answer();
  const text = passing.through(first.response, 'c').text();
  await turn();
  await first.writer.close();
  await text;
  await turn();
  passing.through(answer().response, 'c');
  await turn();
  assert.deepEqual(heard, [CALL]);
  passing.called(client);
  assert.deepEqual(heard, [CALL, CALL]);
});

test('an answer that breaks off is an error, and one that nobody wants any more ends at the origin', async () => {
  const { passing, client, heard } = setUp();
  const broken = answer();
  const text = passing.through(broken.response, 'c').text();
  await broken.writer.abort(new TypeError('cut'));
  await assert.rejects(text, /cut/);
  const unwanted = answer();
  await passing.through(unwanted.response, 'c').body!.cancel();
  await assert.rejects(unwanted.writer.closed);
  await turn();
  heard.length = 0;
  passing.called(client);
  assert.deepEqual(heard, []);
});

test('what was redirected, has no body or is of another origin passes as it is; what is short need not be seen to its end', async () => {
  const { passing, heard } = setUp();
  const responses = [
    answer({}, { redirected: true }).response,
    answer({}, { type: 'opaque' }).response,
    Object.defineProperty(new Response(null, { status: 304 }), 'type', { value: 'basic' }),
  ];
  for (const response of responses) assert.equal(passing.through(response, 'c'), response);
  assert.equal(isLong(answer({ 'content-length': String(MAX_PIECE_BYTES) }).response), false);
  assert.equal(isLong(answer({}).response), true);
  const long = answer({ 'content-length': String(MAX_PIECE_BYTES + 1) }).response;
  assert.notEqual(passing.through(long, 'unknown'), long);
  await turn();
  assert.deepEqual(heard, []);
});
