import assert from 'node:assert/strict';
import test from 'node:test';
import { OpenQuestions } from '../../../mesh/tabs/open-questions.ts';
import type { Digest, SwarmId } from '../../../protocol/ids.ts';
import type { FromTab, ToTab } from '../../../protocol/page.ts';

type Load = Extract<FromTab, { type: 'load' }>;

const load = (id: number, more: Partial<Load> = {}): Load => ({
  type: 'load',
  id,
  url: 'https://school.test/a',
  name: null,
  swarm: null,
  deadline: null,
  age: 0,
  unlisted: 'fetch',
  range: null,
  ...more,
});

const bytes = (...values: number[]): ArrayBuffer => Uint8Array.from(values).buffer;

const progress = (id: number, chunk: ArrayBuffer, leaves?: ArrayBuffer): ToTab => ({
  type: 'progress',
  id,
  loaded: 1,
  total: 9,
  chunk,
  leaves,
});

const answer = (id: number): ToTab => ({ type: 'failed', id, code: 'origin-failed', message: '', status: 404 });

function questions(): { heard: ToTab[]; open: OpenQuestions } {
  const heard: ToTab[] = [];
  return { heard, open: new OpenQuestions((message) => heard.push(message)) };
}

/** What of a load the next engine is told. */
function asked(open: OpenQuestions, isLent = false): Load[] {
  return open.forAnother(isLent).filter((message) => message.type === 'load');
}

test('the next engine is asked what has no answer and is still wanted, and hears of swarms and of the latest windows', () => {
  const { open } = questions();
  const window = (player: number, within: number): FromTab => ({
    type: 'window',
    player,
    swarm: null,
    assets: within > 0 ? [{ url: 'https://school.test/a', name: { digest: 'ab' as Digest, size: 1 }, within }] : [],
  });
  const held: FromTab = { type: 'held', id: 4, digests: [] };
  const join: FromTab = { type: 'join', swarm: 'lesson' as SwarmId };
  for (const message of [load(1), load(2), load(3), held, join, join, window(1, 5), window(1, 6), window(2, 7)])
    assert.equal(open.note(message), true);
  open.note(window(2, 0));
  open.note({ type: 'abort', id: 2 });
  open.receive(answer(3));
  const told = open.forAnother(false);
  assert.deepEqual(
    told.map((message) => [message.type, 'id' in message ? message.id : 0]),
    [
      ['join', 0],
      ['window', 0],
      ['load', 1],
      ['held', 4],
    ],
  );
  assert.deepEqual(told[1], window(1, 6));
});

test('what is said once is not remembered', () => {
  const { open } = questions();
  assert.equal(open.note({ type: 'seen', urls: [] }), false);
  assert.deepEqual(open.forAnother(false), []);
});

test('an answer that came once, or to nobody, is not passed on', () => {
  const { open, heard } = questions();
  open.note(load(1));
  open.receive(answer(1));
  open.receive(answer(1));
  open.receive(progress(1, bytes(1)));
  assert.deepEqual(heard, [answer(1)]);
});

test('the time that has passed is told', () => {
  const { open } = questions();
  open.note(load(1, { deadline: 60_000 }));
  open.note(load(2, { deadline: 0 }));
  const before = performance.now();
  while (performance.now() - before < 5);
  const [first, second] = asked(open);
  assert.ok(first!.age >= 5 && first!.deadline! <= 59_995, `${first!.age}, ${String(first!.deadline)}`);
  assert.equal(second!.deadline, 0);
});

test('chunks that the tab has are not given again by the next engine', () => {
  const { open, heard } = questions();
  const given = (): number[] =>
    heard.flatMap((message) =>
      message.type === 'progress' && message.chunk ? [...new Uint8Array(message.chunk)] : [],
    );
  open.note(load(1, { streamed: true }));
  open.receive(progress(1, bytes(1, 2, 3)));
  open.forAnother(false);
  open.receive(progress(1, bytes(1, 2)));
  assert.deepEqual(given(), [1, 2, 3]);
  open.receive(progress(1, bytes(3, 4)));
  open.receive(progress(1, bytes(5)));
  assert.deepEqual(given(), [1, 2, 3, 4, 5]);
});

test('what an engine of another tab gives is kept for the next, also where the tab does not want it piece by piece', () => {
  const { open, heard } = questions();
  open.note(load(1));
  open.note(load(2, { streamed: true }));
  const lent = asked(open, true);
  assert.deepEqual(
    lent.map(({ streamed }) => streamed),
    ['spare', true],
  );
  open.receive(progress(1, bytes(1, 2), bytes(7)));
  open.receive(progress(1, bytes(3)));
  assert.deepEqual(
    heard.map((message) => message.type === 'progress' && message.chunk),
    [undefined, undefined],
  );
  const [next] = asked(open, true);
  assert.deepEqual(next!.begun, { bytes: [bytes(1, 2), bytes(3)], leaves: bytes(7) });
  assert.equal(asked(open, false)[0]!.streamed, undefined, 'our own engine goes with us');
});

test('without an engine all that is open fails', () => {
  const { open, heard } = questions();
  open.note(load(1));
  open.fail();
  assert.deepEqual(
    heard.map((message) => message.type === 'failed' && [message.id, message.code]),
    [[1, 'engine-failed']],
  );
  assert.deepEqual(asked(open), []);
});

for (const { name, had, shared, type } of [
  {
    name: 'other bytes from the origin do not go on where another engine gave some',
    had: true,
    shared: false,
    type: 'failed',
  },
  { name: 'checked bytes do', had: true, shared: true, type: 'loaded' },
  { name: 'where nothing was given whatever comes is right', had: false, shared: false, type: 'loaded' },
])
  test(name, () => {
    const { open, heard } = questions();
    open.note(load(1, { streamed: true }));
    if (had) open.receive(progress(1, bytes(1, 2)));
    open.forAnother(false);
    const url = 'https://school.test/a';
    open.receive({ type: 'loaded', id: 1, body: bytes(9, 9, 9), contentType: '', source: 'origin', shared, url });
    assert.equal(heard.at(-1)!.type, type);
  });

test('what was asked while there was no engine has all its bytes of one', () => {
  const { open, heard } = questions();
  open.note(load(1, { streamed: true }));
  open.forAnother(false);
  open.receive(progress(1, bytes(1, 2)));
  const url = 'https://school.test/a';
  open.receive({ type: 'loaded', id: 1, body: bytes(1, 2, 3), contentType: '', source: 'origin', shared: false, url });
  assert.equal(heard.at(-1)!.type, 'loaded');
});
