import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { AssetQuestion, PortMessage } from '../../protocol/page.ts';
import { EnginePort } from '../../sw/engine-port.ts';
import { ENGINE_SILENCE_MS, HEARD_MS } from '../../sw/limits.ts';

/** The worker's end of a port; the test plays the engine. Delivery is at once, so that time can be mocked. */
class FakePort {
  onmessage: ((event: { data: PortMessage }) => void) | null = null;
  readonly questions: AssetQuestion[] = [];
  closed = false;

  postMessage(question: AssetQuestion): void {
    this.questions.push(question);
  }

  say(message: PortMessage): void {
    this.onmessage?.({ data: message });
  }

  close(): void {
    this.closed = true;
  }
}

const URL_A = 'https://school.test/a.png';

function setUp(t: TestContext): { fake: FakePort; port: EnginePort; lists: (readonly string[])[] } {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const fake = new FakePort();
  const lists: (readonly string[])[] = [];
  const port = new EnginePort(fake as unknown as MessagePort, (urls) => lists.push(urls));
  return { fake, port, lists };
}

const loaded = (id: number): PortMessage => ({
  type: 'loaded',
  id,
  body: new ArrayBuffer(3),
  contentType: 'image/png',
  source: 'peers',
  shared: true,
  url: URL_A,
});
const never = new AbortController().signal;

test('an asset that the engine has is given, and asked for with the time that has passed', async (t) => {
  const { fake, port } = setUp(t);
  const asking = port.ask(URL_A, 120, never);
  assert.deepEqual(fake.questions, [
    {
      type: 'load',
      id: 1,
      url: URL_A,
      name: null,
      swarm: null,
      deadline: null,
      age: 120,
      unlisted: 'pass',
      range: null,
    },
  ]);
  fake.say(loaded(1));
  assert.equal((await asking)?.contentType, 'image/png');
  t.mock.timers.tick(ENGINE_SILENCE_MS * 2);
  assert.equal(fake.questions.length, 1, 'nothing is given up afterwards');
});

test('what the engine passes or fails at is for the network', async (t) => {
  const { fake, port } = setUp(t);
  const [passed, failed] = [port.ask(URL_A, 0, never), port.ask(URL_A, 0, never)];
  fake.say({ type: 'pass', id: 1 });
  fake.say({ type: 'failed', id: 2, code: 'origin-failed', message: '', status: 0 });
  assert.deepEqual(await Promise.all([passed, failed]), [null, null]);
});

test('a page that does not answer is given up soon, and told so', async (t) => {
  const { fake, port } = setUp(t);
  const asking = port.ask(URL_A, 0, never);
  t.mock.timers.tick(HEARD_MS - 1);
  assert.equal(fake.questions.length, 1);
  t.mock.timers.tick(1);
  assert.equal(await asking, null);
  assert.deepEqual(fake.questions.at(-1), { type: 'abort', id: 1 });
});

test('an engine that was heard of is given time, and more with each progress', async (t) => {
  const { fake, port } = setUp(t);
  const asking = port.ask(URL_A, 0, never);
  for (let i = 0; i < 5; i++) {
    fake.say({ type: 'progress', id: 1, loaded: i, total: 5 });
    t.mock.timers.tick(ENGINE_SILENCE_MS - 1);
  }
  fake.say(loaded(1));
  assert.notEqual(await asking, null);
  const silent = port.ask(URL_A, 0, never);
  fake.say({ type: 'progress', id: 2, loaded: 0, total: 0 });
  t.mock.timers.tick(ENGINE_SILENCE_MS);
  assert.equal(await silent, null);
});

test('an abort is passed on, and an answer that comes afterwards is ignored', async (t) => {
  const { fake, port } = setUp(t);
  const controller = new AbortController();
  const asking = port.ask(URL_A, 0, controller.signal);
  controller.abort();
  assert.equal(await asking, null);
  fake.say(loaded(1));
  assert.deepEqual(
    fake.questions.map(({ type }) => type),
    ['load', 'abort'],
  );
});

test('a request that is aborted already is not asked for', async (t) => {
  const { fake, port } = setUp(t);
  assert.equal(await port.ask(URL_A, 0, AbortSignal.abort()), null);
  assert.deepEqual(fake.questions, []);
});

test('answers go to the question with their number', async (t) => {
  const { fake, port } = setUp(t);
  const [one, two] = [port.ask(URL_A, 0, never), port.ask(URL_A, 0, never)];
  fake.say(loaded(99));
  fake.say(loaded(2));
  fake.say({ type: 'pass', id: 1 });
  assert.equal(await one, null);
  assert.notEqual(await two, null);
});

test('a closed port leaves nobody waiting', async (t) => {
  const { fake, port } = setUp(t);
  const asking = port.ask(URL_A, 0, never);
  port.close();
  assert.equal(await asking, null);
  assert.equal(fake.closed, true);
});

test('a list of shareable URLs is passed on', (t) => {
  const { fake, lists } = setUp(t);
  fake.say({ type: 'shareable', urls: [URL_A] });
  assert.deepEqual(lists, [[URL_A]]);
});

test('over a real MessageChannel an asset comes with its bytes', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { port1, port2 } = new MessageChannel();
  t.after(() => port1.close());
  port2.onmessage = ({ data }: MessageEvent<AssetQuestion>) => port2.postMessage(loaded(data.id));
  const got = await new EnginePort(port1, () => undefined).ask(URL_A, 0, never);
  assert.equal(got?.body.byteLength, 3);
});
