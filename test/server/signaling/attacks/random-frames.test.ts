import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { until } from '../../support.ts';
import { ATTACKER, target } from './healthy.ts';
import { connected, FIN, frameOf, joined, webSocket, type RawClient } from './raw-client.ts';

/** Frames in all that a server has heard: 100,000 in the long form. */
const FRAMES = process.env['P2P_LONG'] === '1' ? 100_000 : 2000;
const CLIENTS = 10;
/** Clients that come and go before growth counts: what is made once, by the first, is none. */
const FIRST = 300;
const MAX_GROWTH = 10_000_000;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes that live: objects, and buffers beside them. */
const heap = (): number => {
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

/** The same from the same seed (a linear congruential generator), so that what fails can be looked at again. */
function chance(seed: number) {
  let state = seed;
  const below = (limit: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  return { below, pick: <T>(list: readonly T[]): T => list[below(list.length)] as T };
}

type Chance = ReturnType<typeof chance>;

const WORDS = ['join', 'signal', 'claim', 'leave', 'report', 'beacon', '__proto__', 'disconnect', '', 'x'.repeat(500)];
const VALUES = [
  '{}',
  '[]',
  'null',
  '7',
  '"x"',
  '{"version":1,"swarms":["x"]}',
  '{"to":"' + 'a'.repeat(32) + '"}',
  '{"__proto__":{"x":1}}',
  '['.repeat(50),
  '{"peer":"' + 'b'.repeat(32) + '"}',
  '{"swarm":"x","digest":"' + 'c'.repeat(64) + '"}',
  '{"bytes":{"origin":1,"peers":-1,"store":1e300,"uploaded":0},"stalls":0,"stalled":0,"firstFrames":[],"noMesh":null}',
];

/** A frame that is nearly right, or not at all. */
function randomFrame({ below, pick }: Chance): Buffer {
  const text = (): string => {
    const event = `42${below(3) === 0 ? '' : below(1e6)}["${pick(WORDS)}",${pick(VALUES)}]`;
    switch (below(8)) {
      case 0:
        return String.fromCharCode(...Array.from({ length: below(40) }, () => below(256)));
      case 1:
        return `${below(10)}${below(10)}${pick(VALUES)}`;
      case 2:
        return event.slice(0, below(event.length));
      case 3:
        return `4${below(8)}${below(20)}-${event.slice(2)}`;
      default:
        return event;
    }
  };
  const opcode = below(20) === 0 ? below(16) : 1;
  const bits = below(20) === 0 ? 16 * below(16) : FIN;
  return frameOf(below(30) === 0 ? Buffer.from(text()) : text(), opcode, bits);
}

test(`${FRAMES} random frames: no crash, no growth, and nobody else notices`, async (t) => {
  const { url, signaling, assertHealthy } = await target(t, { limits: { connectsPerAddress: 1e6 } });
  const random = chance(20_261_128);
  // what a test is to clean up it holds until its end: these go with their round
  let cleanups: (() => void)[] = [];
  const round = { after: (clean: () => void) => void cleanups.push(clean) } as unknown as TestContext;
  const newClient = (): Promise<RawClient> => {
    const from = { address: ATTACKER };
    switch (random.below(3)) {
      case 0:
        return webSocket(round, url, from);
      case 1:
        return connected(round, url, from);
      default:
        return joined(round, url, 'x', from).then(({ client }) => client);
    }
  };
  let growthFrom = 0;
  let heard = 0;
  let came = 0;
  while (heard < FRAMES) {
    // nearly every second frame is the end of its connection, and what follows it nobody hears
    let clients = await Promise.all(Array.from({ length: CLIENTS }, newClient));
    came += CLIENTS;
    while (clients.length > 0 && heard < FRAMES) {
      for (const client of clients) client.socket.write(randomFrame(random));
      heard += clients.length;
      await Promise.all(clients.map((client) => client.heard()));
      clients = clients.filter(({ closed, isClosing }) => !closed && !isClosing);
    }
    for (const clean of cleanups) clean();
    cleanups = [];
    await until('they are forgotten', () => signaling.connections === 1);
    if (growthFrom === 0 && came >= FIRST) growthFrom = heap();
  }
  assert.ok(growthFrom > 0, 'enough clients came for growth to be seen');
  await until('they are no peers', () => signaling.peers === 1);
  const growth = heap() - growthFrom;
  assert.ok(growth < MAX_GROWTH, `${growth} bytes`);
  await assertHealthy();
});
