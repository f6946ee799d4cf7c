import assert from 'node:assert/strict';
import test from 'node:test';
import { SILENCE_MS, SILENCE_TICK_MS, SLOW_BLOCK_MS } from '../../../mesh/core/limits.ts';
import { BLOCK_BYTES, FRAME_HEADER_BYTES } from '../../../protocol/limits.ts';
import type { TestAsset } from '../world/test-asset.ts';
import { gotOf, type Asking, type WorldPeer } from '../world/world-peer.ts';
import { World } from '../world/world.ts';
import { fragmentsOf } from '../../protocol/fragments.ts';

/** A slow line, so that an asset takes seconds: A holds 2 MB, and B has had some blocks of it. */
async function midway(
  deadline: number | null = 0,
): Promise<{ world: World; lesson: TestAsset; a: WorldPeer; b: WorldPeer; asking: Asking }> {
  const world = new World();
  world.network.line = { latency: 5, bytesPerMillisecond: 500, maxMessageSize: 65_536 };
  const lesson = await world.asset('lesson.ts', 2_000_000);
  const a = world.peer('A');
  await a.get(lesson);
  const b = world.peer('B');
  await world.connected([a, b]);
  const asking = b.ask(lesson, { deadline });
  await world.clock.until(() => b.stats.bytes.peers >= 5 * BLOCK_BYTES);
  return { world, lesson, a, b, asking };
}

test('a holder that dies silently loses urgent blocks to the origin within half a second; done blocks are kept', async () => {
  const { world, lesson, a, b, asking } = await midway();
  const diedAt = world.clock.now();
  a.die();
  await world.clock.until(() => asking.answer !== null);
  const kept = b.stats.bytes.peers;
  const [request, ...more] = world.origin.asked('B');
  assert.deepEqual(more, []);
  assert.deepEqual(request?.range, { start: kept, end: lesson.body.length });
  assert.equal(b.stats.bytes.origin, lesson.body.length - kept);
  assert.ok(request.at - diedAt <= SILENCE_MS + SILENCE_TICK_MS, `${request.at - diedAt} ms`);
  assert.equal(gotOf(asking).source, 'mixed');
  assert.deepEqual(gotOf(asking).body, lesson.body);
});

test('a holder whose connection closes loses its blocks at once', async () => {
  const { world, lesson, asking } = await midway();
  const closedAt = world.clock.now();
  world.network.close('A');
  await world.clock.until(() => asking.answer !== null);
  const [request] = world.origin.asked('B');
  // The server is asked who crosses: 20 ms each way.
  assert.ok(request!.at - closedAt < 60, `${request!.at - closedAt} ms`);
  assert.ok(request!.range!.start >= 5 * BLOCK_BYTES);
  assert.deepEqual(gotOf(asking).body, lesson.body);
});

test('blocks of a dead holder go to another holder before the origin', async () => {
  const world = new World();
  world.network.line = { latency: 5, bytesPerMillisecond: 500, maxMessageSize: 65_536 };
  const lesson = await world.asset('lesson.ts', 3_000_000);
  const [a, c] = [world.peer('A'), world.peer('C')];
  await a.get(lesson);
  await c.get(lesson);
  const b = world.peer('B');
  await world.connected([a, b, c]);
  const asking = b.ask(lesson);
  await world.clock.until(() => b.stats.bytes.peers >= 10 * BLOCK_BYTES);
  a.die();
  await world.clock.until(() => asking.answer !== null);
  assert.equal(world.origin.asked('B').length, 0);
  assert.equal(gotOf(asking).source, 'peers');
  assert.deepEqual(gotOf(asking).body, lesson.body);
});

test('two holders share the work', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 4_000_000);
  const [a, c] = [world.peer('A'), world.peer('C')];
  await a.get(lesson);
  await c.get(lesson);
  const b = world.peer('B');
  await world.connected([a, b, c]);
  const before = [a, c].map(({ stats }) => stats.bytes.uploaded);
  const got = await b.get(lesson);
  assert.deepEqual(got.body, lesson.body);
  const uploaded = [a, c].map(({ stats }, i) => stats.bytes.uploaded - before[i]!);
  for (const bytes of uploaded) assert.ok(bytes > 1_200_000, uploaded.join());
  assert.ok(uploaded[0]! + uploaded[1]! < 4_100_000, 'no block is sent twice');
});

test('with the origin dead, an asset comes from the holder', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 500_000);
  const a = world.peer('A');
  await a.get(lesson);
  const b = world.peer('B');
  await world.connected([a, b]);
  world.origin.reachable = false;
  assert.equal((await b.get(lesson)).source, 'peers');
});

test('with the origin dead, a holder that had fallen silent is asked again', async () => {
  const world = new World();
  let awake = false;
  const lesson = await world.asset('lesson.ts', 60_000);
  const other = await world.asset('other.ts', 50_000);
  world.rawPeer('R', {
    claims: [lesson.name.digest, other.name.digest],
    answer: ({ request }, line) => {
      if (!awake) return;
      line.send({ type: 'leaves', request, size: lesson.name.size, untrustedLeaves: lesson.leaves });
      line.send({ type: 'block', request, index: 0, untrustedBlock: lesson.body });
    },
  });
  const b = world.peer('B');
  await world.connected([b], 1);
  assert.equal((await b.get(other)).source, 'origin');
  awake = true;
  world.origin.reachable = false;
  const got = await b.get(lesson);
  assert.equal(got.source, 'peers');
  assert.deepEqual(got.body, lesson.body);
});

for (const [how, deadline, source] of [
  ['is waited for while there is time', 10_000, 'peers'],
  ['loses what is urgent to the origin', 1000, 'mixed'],
] as const)
  test(`a holder that hesitates for almost a second ${how}`, async () => {
    const world = new World();
    const lesson = await world.asset('lesson.ts', 2 * BLOCK_BYTES);
    const block = (index: number): Uint8Array<ArrayBuffer> =>
      lesson.body.slice(index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES);
    world.rawPeer('R', {
      claims: [lesson.name.digest],
      answer: ({ request }, line) => {
        line.send({ type: 'leaves', request, size: lesson.name.size, untrustedLeaves: lesson.leaves });
        line.send({ type: 'block', request, index: 0, untrustedBlock: block(0) });
        const rest = { type: 'block', request, index: 1, untrustedBlock: block(1) } as const;
        world.clock.after(900, () => line.send(rest));
      },
    });
    const b = world.peer('B');
    await world.connected([b], 1);
    const got = await b.get(lesson, { deadline });
    assert.equal(got.source, source);
    assert.deepEqual(got.body, lesson.body);
  });

test('bytes that come late show that a holder is slow, not silent: it is asked for the next asset', async () => {
  const world = new World();
  const assets = [await world.asset('lesson-0.ts', 50_000), await world.asset('lesson-1.ts', 60_000)];
  let delay = SILENCE_MS + 2 * SILENCE_TICK_MS;
  world.rawPeer('R', {
    claims: assets.map(({ name }) => name.digest),
    answer: ({ request, digest }, line) => {
      const asset = assets.find(({ name }) => name.digest === digest)!;
      world.clock.after(delay, () => {
        line.send({ type: 'leaves', request, size: asset.name.size, untrustedLeaves: asset.leaves });
        line.send({ type: 'block', request, index: 0, untrustedBlock: asset.body });
      });
    },
  });
  const b = world.peer('B');
  await world.connected([b], 1);
  assert.equal((await b.get(assets[0]!)).source, 'origin');
  await world.clock.advance(delay);
  delay = 0;
  assert.equal((await b.get(assets[1]!)).source, 'peers');
});

test('a holder whose first block comes late, since it serves others, is not slow for that', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 8 * BLOCK_BYTES);
  world.rawPeer('R', {
    claims: [lesson.name.digest],
    answer: ({ request, first, count }, line) => {
      line.send({ type: 'leaves', request, size: lesson.name.size, untrustedLeaves: lesson.leaves });
      for (let i = 0; i < count; i++) {
        const index = first + i;
        const untrustedBlock = lesson.body.slice(index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES);
        world.clock.after(870 + 20 * i, () => line.send({ type: 'block', request, index, untrustedBlock }));
      }
    },
  });
  const b = world.peer('B');
  await world.connected([b], 1);
  assert.equal((await b.get(lesson, { deadline: 5000 })).source, 'peers');
});

test('a slow holder gives what it gave, and the rest comes from the origin', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 500_000);
  const a = world.peer('A', { maxUpload: 400_000 });
  await a.get(lesson);
  const b = world.peer('B');
  await world.connected([a, b]);
  const got = await b.get(lesson, { deadline: 0 });
  assert.equal(got.source, 'mixed');
  assert.deepEqual(got.body, lesson.body);
  assert.ok(got.took < 2500, `${got.took} ms`);
});

test('a holder that gives single bytes now and then and never a block loses its requests', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 50_000);
  world.rawPeer('R', {
    claims: [lesson.name.digest],
    answer: ({ request }, line) => {
      let offset = 0;
      const drip = (): void => {
        const [part] = fragmentsOf({ type: 6, request, payload: new Uint8Array(50_004) }, FRAME_HEADER_BYTES + 1);
        new DataView(part!.buffer).setUint32(12, offset++);
        line.sendBytes(part!);
        world.clock.after(400, drip);
      };
      drip();
    },
  });
  const b = world.peer('B');
  await world.connected([b], 1);
  const got = await b.get(lesson);
  assert.equal(got.source, 'origin');
  assert.ok(got.took <= SLOW_BLOCK_MS + 500, `${got.took} ms`);
});

test('with neither origin nor holder, the answer is an error that names the URL', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 500_000);
  world.origin.reachable = false;
  const b = world.peer('B');
  const asking = b.ask(lesson);
  await world.clock.until(() => asking.answer !== null);
  const { answer } = asking;
  assert.ok(answer?.type === 'failed');
  assert.deepEqual({ code: answer.code, status: answer.status }, { code: 'origin-failed', status: 0 });
  assert.match(answer.message, /lesson\.ts/);
  assert.equal(b.stats.originReachable, false);
});

test('a holder that refuses since it lost the asset is not asked twice, and the origin gives it', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 500_000);
  const raw = world.rawPeer('R', {
    claims: [lesson.name.digest],
    answer: ({ request }, line) => line.send({ type: 'refuse', request, reason: 'not-held' }),
  });
  const b = world.peer('B');
  await world.connected([b], 1);
  const got = await b.get(lesson);
  assert.equal(got.source, 'origin');
  assert.ok(got.took < 400, `${got.took} ms`);
  assert.equal(raw.heard.filter(({ type }) => type === 'request').length, 1);
  assert.deepEqual(b.engine.held([lesson.name.digest]), ['store']);
});

test('a busy holder is still known as a holder', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 500_000, { shareable: false });
  world.rawPeer('R', {
    claims: [lesson.name.digest],
    answer: ({ request }, line) => line.send({ type: 'refuse', request, reason: 'busy' }),
  });
  const b = world.peer('B');
  await world.connected([b], 1);
  assert.equal((await b.get(lesson)).source, 'origin');
  assert.deepEqual(b.engine.held([lesson.name.digest]), ['neighbour']);
});

test('a holder that drips is not silent: its blocks arrive', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 200_000);
  const a = world.peer('A', { maxUpload: 800_000 });
  await a.get(lesson);
  const b = world.peer('B');
  await world.connected([a, b]);
  const got = await b.get(lesson);
  assert.equal(got.source, 'peers');
  assert.ok(got.took > 1500, `${got.took} ms`);
});
