import assert from 'node:assert/strict';
import test from 'node:test';
import { Flow, type Route } from './flow.ts';
import { Gate, Pipe } from './pipe.ts';
import { VirtualClock } from './virtual-clock.ts';

interface Arrival {
  readonly content: string;
  readonly at: number;
}

/** A flow that notes what arrives when. */
function flowOver(clock: VirtualClock, route: Partial<Route>): { flow: Flow<string>; arrivals: Arrival[] } {
  const arrivals: Arrival[] = [];
  const whole = { pipes: [new Pipe(clock, 10)], gate: null, latency: 0, window: Infinity, ...route };
  const listener = {
    left: () => undefined,
    arrived: (content: string) => arrivals.push({ content, at: clock.now() }),
  };
  return { flow: new Flow(clock, whole, listener), arrivals };
}

test('what is sent arrives in order, at the rate of the line, after its latency', async () => {
  const clock = new VirtualClock();
  const { flow, arrivals } = flowOver(clock, { latency: 5 });
  flow.send('a', 10_000);
  flow.send('b', 5000);
  flow.send('c', 1);
  await clock.advance(10_000);
  assert.deepEqual(arrivals, [
    { content: 'a', at: 1005 },
    { content: 'b', at: 1505 },
    { content: 'c', at: 1505.1 },
  ]);
});

test('two flows share a line evenly, and a packet of a third waits for neither', async () => {
  const clock = new VirtualClock();
  const pipe = new Pipe(clock, 10);
  const flows = [0, 1, 2].map(() => flowOver(clock, { pipes: [pipe] }));
  for (const one of ['1', '2', '3', '4']) for (const { flow } of flows.slice(0, 2)) flow.send(one, 10_000);
  flows[2]?.flow.send('packet', 100);
  await clock.advance(4500);
  assert.deepEqual(
    flows.map(({ arrivals }) => arrivals.map(({ content }) => content)),
    [['1', '2'], ['1', '2'], ['packet']],
  );
  assert.equal(flows[2]?.arrivals[0]?.at, 10);
});

test('a packet that slips through takes its bytes from the line all the same', async () => {
  const clock = new VirtualClock();
  const pipe = new Pipe(clock, 10);
  const [one, other] = [flowOver(clock, { pipes: [pipe] }), flowOver(clock, { pipes: [pipe] })];
  one.flow.send('a', 10_000);
  one.flow.send('b', 10_000);
  other.flow.send('packet', 1000);
  await clock.advance(5000);
  assert.equal(one.arrivals[1]?.at, 2100);
  assert.equal(pipe.carried, 21_000);
});

test('a packet that went by while nobody waited is not paid for later', async () => {
  const clock = new VirtualClock();
  const pipe = new Pipe(clock, 10);
  const { flow, arrivals } = flowOver(clock, { pipes: [pipe] });
  flow.send('packet', 1000);
  await clock.advance(80);
  flow.send('packet', 1000);
  await clock.advance(80);
  flow.send('body', 1000, true);
  await clock.advance(5000);
  assert.equal(arrivals[2]?.at, 160 + 100 + 40);
});

test('pieces of bodies share the line, however small they are', async () => {
  const clock = new VirtualClock();
  const pipe = new Pipe(clock, 10);
  const flows = [flowOver(clock, { pipes: [pipe] }), flowOver(clock, { pipes: [pipe] })];
  for (const piece of ['1', '2']) for (const { flow } of flows) flow.send(piece, 1000, true);
  await clock.advance(5000);
  assert.deepEqual(
    flows.map(({ arrivals }) => arrivals.map(({ at }) => at)),
    [
      [100, 300],
      [200, 400],
    ],
  );
});

test('a window bounds what is under way, so that a slow second line holds up the first', async () => {
  const clock = new VirtualClock();
  const fast = new Pipe(clock, 1000);
  const { flow, arrivals } = flowOver(clock, { pipes: [fast, new Pipe(clock, 10)], window: 20_000 });
  for (let i = 0; i < 5; i++) flow.send(`${i}`, 10_000);
  await clock.advance(500);
  assert.equal(fast.carried, 20_000);
  await clock.advance(5000);
  assert.deepEqual(
    arrivals.map(({ at }) => at),
    [1010, 2010, 3010, 4010, 5010],
  );
});

test('hanging up takes back what is not on the wire yet', async () => {
  const clock = new VirtualClock();
  const { flow, arrivals } = flowOver(clock, { window: 20_000 });
  for (let i = 0; i < 5; i++) flow.send(`${i}`, 10_000);
  await clock.advance(500);
  flow.hangUp();
  flow.send('last', 0);
  await clock.advance(10_000);
  assert.deepEqual(
    arrivals.map(({ content }) => content),
    ['0', 'last'],
  );
});

test('a gate lets through what comes, first come, first served', () => {
  const gate = new Gate(10);
  assert.equal(gate.through(1000, 50), 150);
  assert.equal(gate.through(1000, 100), 250);
  assert.equal(gate.through(1000, 500), 600);
});
