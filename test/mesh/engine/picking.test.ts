/** Between sites one asks for one of several blocks, and the source chooses: what is asked, told and given. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { BLOCK_BYTES } from '../../../protocol/limits.ts';
import type { PeerMessage } from '../../../protocol/peer-message.ts';
import { Pipe } from '../world/pipe.ts';
import type { RawPeer } from '../world/raw-peer.ts';
import type { TestAsset } from '../world/test-asset.ts';
import type { WorldPeer } from '../world/world-peer.ts';
import { Classroom, fetching, serve } from './classroom.ts';

const BLOCKS = 8;
const CALM = { deadline: 30_000 };

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** What a raw peer was asked for, and what it was told of the blocks that there are. */
const picks = ({ heard }: RawPeer): (readonly number[])[] =>
  heard.flatMap((message) => (message.type === 'pick' ? [message.blocks] : []));
const bitfields = ({ heard }: RawPeer): (readonly number[])[] =>
  heard.flatMap((message) => (message.type === 'bitfield' ? [message.blocks] : []));

const blocksGiven = (raw: RawPeer): { request: number; index: number }[] =>
  raw.heard.flatMap((message) => (message.type === 'block' ? [message] : []));

interface Homes {
  readonly room: Classroom;
  readonly peer: WorldPeer;
  readonly lesson: TestAsset;
  /** A raw peer at home elsewhere that does nothing by itself. */
  readonly raw: RawPeer;
  readonly says: (message: PeerMessage) => void;
}

/** @param lineRate bytes per ms */
async function twoHomes(answer?: (asset: TestAsset) => ReturnType<typeof serve>, lineRate = 200): Promise<Homes> {
  const room = new Classroom(lineRate);
  const lesson = await room.asset('lesson.ts', BLOCKS * BLOCK_BYTES);
  const [peer] = (await room.peers(1, { site: 'H' })) as [WorldPeer];
  const raw = room.world.rawPeer('R', { site: 'R', ...(answer && { answer: answer(lesson) }) });
  await room.settled([peer], true, 1);
  return { room, peer, lesson, raw, says: (message) => raw.lines[0]!.send(message) };
}

test('who has it under way is asked only for blocks that it says it has', async () => {
  const { room, peer, lesson, raw, says } = await twoHomes((asset) =>
    serve(asset, (line, _, blocks) => blocks.forEach((block) => line.send(block))),
  );
  says(fetching(lesson.name.digest, 1));
  await room.world.clock.advance(50);
  const asking = peer.ask(lesson, CALM);
  await room.world.clock.advance(300);
  assert.deepEqual(picks(raw), [], 'nobody knows of a block');
  says({ type: 'bitfield', digest: lesson.name.digest, blocks: [3, 5] });
  await room.world.clock.advance(300);
  assert.deepEqual(picks(raw), [[3, 5], [5]]);
  says({ type: 'bitfield', digest: lesson.name.digest, blocks: range(BLOCKS) });
  await room.answered([asking]);
  assert.deepEqual(picks(raw)[2], [0, 1, 2, 4, 6, 7]);
  assert.deepEqual(room.crossed(lesson), []);
});

test('who crosses is asked for all of them at once', async () => {
  const { room, peer, lesson, raw, says } = await twoHomes();
  says(fetching(lesson.name.digest, 0));
  await room.world.clock.advance(50);
  peer.ask(lesson, CALM);
  await room.world.clock.advance(100);
  assert.deepEqual(picks(raw), [range(BLOCKS)]);
});

test('a bitfield of what nobody said to fetch is not believed', async () => {
  const { room, peer, lesson, raw, says } = await twoHomes();
  says({ type: 'bitfield', digest: lesson.name.digest, blocks: range(BLOCKS) });
  await room.world.clock.advance(50);
  await peer.get(lesson, CALM);
  assert.deepEqual([picks(raw), room.crossed(lesson)], [[], ['H0']]);
});

test('who takes it from elsewhere tells those who fetch it too which blocks it has, until they have them', async () => {
  const { room, peer, lesson, raw, says } = await twoHomes();
  room.world.rawPeer('S', {
    site: 'S',
    claims: [lesson.name.digest],
    answer: serve(lesson, (line, { request }, blocks) =>
      room.world.clock.after(request * 50, () => blocks.forEach((block) => line.send(block))),
    ),
  });
  await room.world.connected([peer], 2);
  await room.world.clock.advance(50);
  const asking = peer.ask(lesson, CALM);
  await room.world.clock.until(() => peer.stats.bytes.peers >= 2 * BLOCK_BYTES);
  await room.world.clock.advance(20);
  assert.deepEqual(bitfields(raw), [], 'it does not fetch it');
  says(fetching(lesson.name.digest, 2));
  await room.world.clock.until(() => bitfields(raw).length === 2);
  says({ type: 'bitfield', digest: lesson.name.digest, blocks: range(BLOCKS) });
  await room.answered([asking]);
  const sizes = bitfields(raw).map((blocks) => blocks.length);
  assert.ok(sizes.at(-1)! <= 4, sizes.join());
  assert.deepEqual(sizes, [...sizes].sort(), 'each tells more than the one before');
});

test('of the blocks that are asked for, a source gives the one that it gave least', async () => {
  const { room, peer, lesson, raw, says } = await twoHomes();
  await peer.get(lesson);
  const pick = (request: number, blocks: readonly number[]): void =>
    says({ type: 'pick', request, digest: lesson.name.digest, blocks, leaves: request === 1 });
  pick(1, [2, 3]);
  pick(2, [2, 3, 4]);
  pick(3, [2, 3]);
  pick(4, [2]);
  await room.world.clock.advance(500);
  assert.deepEqual(
    blocksGiven(raw).map(({ request, index }) => [request, index]),
    [
      [1, 2],
      [2, 3],
      [3, 2],
      [4, 2],
    ],
  );
  assert.equal(raw.heard.filter(({ type }) => type === 'leaves').length, 1);
});

test('of what is still coming it gives what is there first, and refuses what can never be', async () => {
  const { room, peer, lesson, raw, says } = await twoHomes();
  const { digest } = lesson.name;
  const asking = peer.ask(lesson);
  await room.world.clock.until(() => raw.heard.some(({ type }) => type === 'fetching'));
  says({ type: 'pick', request: 1, digest, blocks: [1, 7], leaves: true });
  says({ type: 'pick', request: 2, digest, blocks: [BLOCKS], leaves: true });
  await room.answered([asking]);
  assert.deepEqual(
    blocksGiven(raw).map(({ request, index }) => [request, index]),
    [[1, 1]],
  );
  const refused = raw.heard.flatMap((message) =>
    message.type === 'refuse' ? [[message.request, message.reason]] : [],
  );
  assert.deepEqual(refused, [[2, 'not-held']]);
});

/** Homes of which the first holds the asset. Its line out is shared by all that it gives. */
async function thinLine(takers: number): Promise<{ room: Classroom; others: readonly WorldPeer[]; lesson: TestAsset }> {
  const room = new Classroom();
  const { world } = room;
  const lesson = await room.asset('lesson.ts', BLOCKS * BLOCK_BYTES);
  const lines = new Map<string, Pipe>();
  world.network.route = (from) => {
    const pipe = lines.get(from) ?? new Pipe(world.clock, 200, 16_384);
    lines.set(from, pipe);
    return { pipes: [pipe], gate: null, latency: 10, window: 128 * 1024 };
  };
  const homes: WorldPeer[] = [];
  for (let i = 0; i <= takers; i++) homes.push(...(await room.peers(1, { site: `H${i}-` })));
  await room.settled(homes, true);
  const [holder, ...others] = homes as [WorldPeer, ...WorldPeer[]];
  await holder.get(lesson);
  await world.clock.advance(500);
  return { room, others, lesson };
}

test('to other homes goes one block at a time, so that the first can hand it on while others still wait', async () => {
  const { room, others, lesson } = await thinLine(4);
  await room.ask(others, lesson, CALM);
  const arrivals = (): string[] =>
    room.world.log.filter((line) => /H0-0>\S+ block /.test(line)).map((line) => line.split(' ')[0]!);
  await room.world.clock.until(() => arrivals().length >= 4);
  const [first, , , fourth] = arrivals().map(Number) as [number, number, number, number];
  // A block takes 330 ms; side by side all four would set off at once.
  assert.ok(fourth - first > 900, arrivals().join());
});

test('homes that take from one get different blocks, and the others from each other', async () => {
  const { room, others, lesson } = await thinLine(4);
  const askings = await room.ask(others, lesson, CALM);
  await room.answered(askings);
  const given = room.world.log.filter((line) => /H0-0>\S+ block /.test(line)).length;
  assert.ok(given <= 2 * BLOCKS, `${given} blocks of ${4 * BLOCKS} came from the one that holds it`);
  assert.deepEqual(room.crossed(lesson), ['H0-0']);
});
