/** Over the line from several other sites at once. */
import assert from 'node:assert/strict';
import test from 'node:test';
import {
  CLAIMS_FOR_MS,
  MAX_HOPS,
  OUTSIDE_FIRST_BYTE_MS,
  OUTSIDE_SILENCE_MS,
  OUTSIDE_SOURCES,
  OUTSIDE_STEAL_MS,
} from '../../../mesh/core/limits.ts';
import { swarmOfName } from '../../../protocol/swarm.ts';
import { WEB_ORIGIN } from '../world/surroundings.ts';
import { FromOutside } from '../../../mesh/engine/from-outside.ts';
import { BLOCK_BYTES } from '../../../protocol/limits.ts';
import type { BlockRequest, RawLine } from '../world/raw-peer.ts';
import type { TestAsset } from '../world/test-asset.ts';
import { gotOf, type WorldPeer } from '../world/world-peer.ts';
import { Classroom, KEY } from './classroom.ts';

const CALM = { deadline: 30_000 };

/** Homes of one: all but the first hold the asset. */
async function homes(
  count: number,
  bytesPerMillisecond = 500,
): Promise<{ room: Classroom; newcomer: WorldPeer; others: WorldPeer[]; lesson: TestAsset }> {
  const room = new Classroom();
  room.world.network.line = { ...room.world.network.line, bytesPerMillisecond };
  const all: WorldPeer[] = [];
  for (let i = 0; i < count; i++) all.push(...(await room.peers(1, { site: `H${i}-` })));
  const [newcomer, ...others] = all as [WorldPeer, ...WorldPeer[]];
  await room.settled(all, true);
  const lesson = await room.asset('lesson.ts', 1_000_000);
  await room.answered(await room.ask(others, lesson));
  await room.world.clock.advance(1000);
  room.world.origin.requests.length = 0;
  return { room, newcomer, others, lesson };
}

/** Answers a request as it should be. */
function give(
  { name, leaves, body }: TestAsset,
  { request, first, count, leaves: asked }: BlockRequest,
  line: RawLine,
): void {
  if (asked) line.send({ type: 'leaves', request, size: name.size, untrustedLeaves: leaves });
  for (let index = first; index < first + count; index++) {
    const untrustedBlock = body.slice(index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES);
    line.send({ type: 'block', request, index, untrustedBlock });
  }
}

/** Who sent the newcomer how many blocks. */
function givers(room: Classroom): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of room.world.log) {
    const from = / (\S+)>H0-0 block /.exec(line)?.[1];
    if (from !== undefined) counts.set(from, (counts.get(from) ?? 0) + 1);
  }
  return counts;
}

test('who is in a hurry takes an asset from several homes at once, and none gives most of it', async () => {
  const { room, newcomer, lesson } = await homes(5);
  const got = await newcomer.get(lesson);
  assert.deepEqual(got.body, lesson.body);
  const counts = [...givers(room).values()];
  assert.equal(counts.length, 4);
  assert.ok(Math.max(...counts) <= 8, counts.join());
  assert.deepEqual(room.crossed(lesson), []);
  assert.ok(got.took < 1000, `${got.took} ms; one home alone needs 2000`);
});

test('those are asked that hold least, so that who alone has what comes next is free to give it', async () => {
  const { room, newcomer, others, lesson } = await homes(OUTSIDE_SOURCES + 3);
  const next = await room.asset('next.ts', 100_000);
  await room.answered(await room.ask(others.slice(0, 2), next));
  await room.world.clock.advance(1000);
  assert.deepEqual((await newcomer.get(lesson, CALM)).body, lesson.body);
  assert.deepEqual(
    [...givers(room).keys()].sort(),
    others
      .slice(2)
      .map(({ name }) => name)
      .sort(),
  );
});

test('while what brings assets from other sites can not be loaded the origin gives them, and it is tried again with the next home', async () => {
  const room = new Classroom();
  let loads = 0;
  const [newcomer] = await room.peers(1, {
    site: 'H0-',
    loadOutside: () => (loads++ === 0 ? Promise.reject(new Error('offline')) : Promise.resolve({ FromOutside })),
  });
  const [home] = await room.peers(1, { site: 'H1-' });
  await room.settled([newcomer!, home!], true);
  const lessons = await Promise.all([0, 1].map((i) => room.asset(`${i}.ts`, 300_000 + i)));
  await room.answered(lessons.map((lesson) => home!.ask(lesson)));
  await room.world.clock.advance(1000);
  assert.equal((await newcomer!.get(lessons[0]!, CALM)).source, 'origin');
  assert.equal(loads, 1);
  const more = await room.peers(1, { site: 'H2-' });
  await room.settled([newcomer!, home!, ...more], true);
  assert.equal((await newcomer!.get(lessons[1]!, CALM)).source, 'peers');
  assert.equal(loads, 2);
});

test('a home that vanishes loses its blocks to the others, and the origin is not asked', async () => {
  const { room, newcomer, lesson } = await homes(4, 200);
  const asking = newcomer.ask(lesson, CALM);
  await room.world.clock.until(() => givers(room).size > 0);
  const [first] = [...givers(room).keys()];
  room.world.network.cut(first!);
  await room.answered([asking]);
  assert.deepEqual(gotOf(asking).body, lesson.body);
  assert.deepEqual(room.crossed(lesson), []);
  assert.ok(gotOf(asking).took <= 1_000_000 / 200 + OUTSIDE_SILENCE_MS + 500, `${gotOf(asking).took} ms`);
});

test('what would come too late from slow homes comes from the origin, but for the blocks that came', async () => {
  const { room, newcomer, lesson } = await homes(3, 60);
  const got = await newcomer.get(lesson, { deadline: 6000 });
  assert.deepEqual(got.body, lesson.body);
  assert.equal(got.source, 'mixed');
  assert.deepEqual(new Set(room.crossed(lesson)), new Set(['H0-0']));
  const fromOrigin = room.copies(lesson) * lesson.body.length;
  assert.equal(
    fromOrigin + newcomer.stats.bytes.peers,
    lesson.body.length,
    'the origin gives what the homes did not, once',
  );
  assert.ok(room.copies(lesson) < 1, `${room.copies(lesson)} copies`);
  assert.ok(got.took <= 6000, `${got.took} ms`);
});

for (const [what, needsItNow] of [
  [
    'is wanted at once after a seek',
    ({ engine }: WorldPeer, { url, name }: TestAsset) =>
      engine.expect({
        type: 'window',
        player: 1,
        swarm: swarmOfName(WEB_ORIGIN),
        assets: [{ url, name, within: 0 }],
      }),
  ],
  ['is asked for again, and sooner', (peer: WorldPeer, lesson: TestAsset) => void peer.ask(lesson, { deadline: 0 })],
] as const)
  test(`what comes from slow homes and ${what} comes from the origin at once`, async () => {
    const { room, newcomer, lesson } = await homes(3, 60);
    const asking = newcomer.ask(lesson, CALM);
    await room.world.clock.advance(1000);
    assert.deepEqual(room.crossed(lesson), []);
    needsItNow(newcomer, lesson);
    await room.answered([asking]);
    assert.deepEqual(gotOf(asking).body, lesson.body);
    assert.ok(gotOf(asking).took <= 1000 + room.alone(lesson) + 100, `${gotOf(asking).took} ms`);
  });

test('homes that answer nothing delay who is in a hurry by little more than the first byte may take', async () => {
  const { room, newcomer, lesson } = await homes(3);
  for (const name of ['H1-0', 'H2-0']) room.world.network.cut(name);
  const got = await newcomer.get(lesson);
  assert.equal(got.source, 'origin');
  assert.ok(got.took <= OUTSIDE_FIRST_BYTE_MS + room.alone(lesson) + 500, `${got.took} ms`);
});

test('a home that falls silent loses its block to another for good', async () => {
  const { room, newcomer, lesson } = await homes(3);
  let asked = 0;
  room.world.rawPeer('R', { site: 'R', claims: [lesson.name.digest], answer: () => asked++ });
  await room.world.connected([newcomer], 3);
  const asking = newcomer.ask(lesson, { deadline: 10_000 });
  await room.answered([asking]);
  assert.deepEqual(gotOf(asking).body, lesson.body);
  assert.deepEqual(room.crossed(lesson), []);
  assert.ok(asked <= 2, `it was asked ${asked} times`);
  assert.ok(gotOf(asking).took <= 1_000_000 / 1000 + OUTSIDE_STEAL_MS, `${gotOf(asking).took} ms`);
});

test('homes that are all busy delay who is in a hurry no longer than homes that answer nothing', async () => {
  const room = new Classroom();
  const lesson = await room.asset('lesson.ts', 1_000_000);
  for (const site of ['H1', 'H2', 'H3'])
    room.world.rawPeer(site, {
      site,
      claims: [lesson.name.digest],
      answer: ({ request }, line) => line.send({ type: 'refuse', request, reason: 'busy' }),
    });
  const [newcomer] = (await room.peers(1, { site: 'H0-' })) as [WorldPeer];
  await room.world.connected([newcomer], 3);
  const got = await newcomer.get(lesson);
  assert.equal(got.source, 'origin');
  assert.ok(got.took <= OUTSIDE_FIRST_BYTE_MS + room.alone(lesson) + 500, `${got.took} ms`);
});

test('block hashes and first blocks are asked of all at once', async () => {
  const { room, newcomer, lesson } = await homes(5);
  await newcomer.get(lesson);
  const firsts = room.world.log.filter((line) => / H0-0>\S+ pick /.test(line)).slice(0, OUTSIDE_SOURCES);
  assert.equal(new Set(firsts.map((line) => line.split(' ')[0])).size, 1, firsts.join('\n'));
  assert.ok(
    firsts.every((line) => line.endsWith('leaves')),
    firsts.join('\n'),
  );
});

test('who joins two swarms at once meets those of the one that not all are in', async () => {
  const room = new Classroom();
  const lesson = await room.asset('lesson.ts', 1_000_000);
  const watch = { swarmName: 'lesson', deadline: 30_000 };
  for (let i = 0; i < 24; i++) await room.peers(1, { site: `C${i}-` });
  for (let i = 0; i < 16; i++) {
    const [watching] = await room.peers(1, { site: `W${i}-` });
    await watching!.get(lesson, watch);
  }
  await room.world.clock.advance(2000);
  const newcomer = room.peer('N', { site: 'N' });
  newcomer.ask(lesson, watch);
  const met = (): Set<string> =>
    new Set(room.world.log.flatMap((line) => / ([CW]\d+)-0>N hello/.exec(line)?.[1] ?? []));
  await room.world.clock.advance(600);
  assert.ok(met().size >= 2, `${[...met()].join()} at once`);
  // Some have no place for it; then it asks for other names.
  await room.world.clock.until(() => met().size >= 4, 10_000);
  assert.deepEqual(
    [...met()].filter((name) => !name.startsWith('W')),
    [],
  );
});

test('of two homes that were outrun, neither takes the last block from the other again and again', async () => {
  const room = new Classroom();
  const lesson = await room.asset('lesson.ts', 6 * BLOCK_BYTES + 1);
  let quick = 0;
  for (const site of ['H1', 'H2', 'H3'])
    room.world.rawPeer(site, {
      site,
      claims: [lesson.name.digest],
      answer: (question, line) => {
        if (site !== 'H1') room.world.clock.after(1300, () => give(lesson, question, line));
        else if (quick++ < 6) room.world.clock.after(20, () => give(lesson, question, line));
        else line.send({ type: 'refuse', request: question.request, reason: 'not-held' });
      },
    });
  const [newcomer] = (await room.peers(1, { site: 'H0-' })) as [WorldPeer];
  await room.world.connected([newcomer], 3);
  const got = await newcomer.get(lesson, CALM);
  assert.equal(got.source, 'peers');
  assert.ok(got.took <= 5 * OUTSIDE_STEAL_MS, `${got.took} ms`);
});

test('however far from who crosses its source is, all of a site have it from the one that brings it', async () => {
  const room = new Classroom();
  const lesson = await room.asset('lesson.ts', 500_000);
  const { digest } = lesson.name;
  const blocks = Array.from({ length: Math.ceil(lesson.body.length / BLOCK_BYTES) }, (_, i) => i);
  const placeOf = (name: string): number => (name === 'L' ? -1 : Number(name.slice('H0-'.length)));
  room.world.network.opens = (one, other) => Math.abs(placeOf(one) - placeOf(other)) === 1;
  const site = await room.peers(5, { site: 'H0-' });
  await room.world.clock.advance(CLAIMS_FOR_MS);
  room.world.rawPeer('L', {
    site: 'L',
    hears: ({ type }, line) => {
      if (type !== 'hello') return;
      line.send({ type: 'fetching', swarm: KEY, digest, hops: MAX_HOPS - 1, lineRate: 0 });
      line.send({ type: 'bitfield', digest, blocks });
    },
    answer: (request, line) => void room.world.clock.after(200, () => give(lesson, request, line)),
  });
  await room.world.clock.until(() => site[0]!.stats.peers === 2);
  await room.world.clock.advance(100);
  const askings = await room.ask(site, lesson, { deadline: 20_000 });
  await room.answered(askings);
  for (const asking of askings) assert.deepEqual(gotOf(asking).body, lesson.body);
  assert.deepEqual(room.crossed(lesson), []);
});
