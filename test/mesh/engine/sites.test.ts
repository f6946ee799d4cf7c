/** Several sites in a swarm: each crosses its own line once, and takes from another site what that has. */
import assert from 'node:assert/strict';
import test from 'node:test';
import {
  CLAIM_PATIENCE_MS,
  FIRST_BYTE_MS,
  HEAR_MS,
  MAX_TIMER_MS,
  SILENT_PAUSE_MAX_MS,
  SILENT_PAUSE_MS,
} from '../../../mesh/core/limits.ts';
import type { TestAsset } from '../world/test-asset.ts';
import { gotOf, type Asking, type WorldPeer } from '../world/world-peer.ts';
import { Classroom } from './classroom.ts';

interface Sites {
  readonly room: Classroom;
  readonly here: readonly WorldPeer[];
  readonly there: readonly WorldPeer[];
}

async function twoSites(count: number, claims: boolean, lineRate = 500): Promise<Sites> {
  const room = new Classroom(lineRate);
  const here = await room.peers(count, { site: 'A' });
  const there = await room.peers(count, { site: 'B' });
  await room.settled([...here, ...there], claims);
  return { room, here, there };
}

const crossings = (room: Classroom, asset: TestAsset, site: string): number =>
  room.crossed(asset).filter((by) => by.startsWith(site)).length;

const slowest = (askings: readonly Asking[]): number => Math.max(...askings.map((asking) => gotOf(asking).took));

/** Requests for blocks that went from one site to the other. */
const between = (room: Classroom): string[] => room.world.log.filter((line) => / (A\d>B\d|B\d>A\d) pick /.test(line));

for (const claims of [true, false]) {
  const how = claims ? 'the server says who crosses' : 'the keepers cross';

  test(`two sites that need an asset at once cross it at most once each, hardly later than alone (${how})`, async () => {
    const { room, here, there } = await twoSites(4, claims);
    const lesson = await room.asset('lesson.ts', 500_000);
    const askings = await room.ask([...here, ...there], lesson);
    await room.answered(askings);
    for (const site of ['A', 'B']) assert.ok(crossings(room, lesson, site) <= 1, room.crossed(lesson).join());
    assert.ok(slowest(askings) <= room.alone(lesson) + HEAR_MS + 100, `${slowest(askings)} ms`);
  });

  test(`a site takes from the other what that holds, over its line once (${how})`, async () => {
    const { room, here, there } = await twoSites(4, claims);
    const lesson = await room.asset('lesson.ts', 500_000);
    await room.answered(await room.ask(here, lesson));
    const before = between(room).length;
    const askings = await room.ask(there, lesson);
    await room.answered(askings);
    assert.equal(crossings(room, lesson, 'B'), 0);
    for (const asking of askings) assert.deepEqual(gotOf(asking).body, lesson.body);
    const who = new Set(
      between(room)
        .slice(before)
        .map((line) => line.split(' ')[1]!.split('>')[0]),
    );
    assert.equal(who.size, 1, [...who].join());
    assert.ok(slowest(askings) <= 400, `${slowest(askings)} ms`);
  });

  test(`two sites with time to spare bring an asset from the origin once (${how})`, async () => {
    const { room, here, there } = await twoSites(4, claims);
    for (let i = 0; i < 3; i++) {
      const lesson = await room.asset(`${i}.ts`, 500_000 + i);
      const askings = await room.ask([...here, ...there], lesson, { deadline: 8000 });
      await room.answered(askings);
      assert.equal(room.crossed(lesson).length, 1, room.crossed(lesson).join());
      assert.ok(slowest(askings) <= MAX_TIMER_MS + room.alone(lesson) + 500, `${slowest(askings)} ms`);
    }
  });

  test(`a site that follows the other is not lost when that dies midway (${how})`, async () => {
    const { room, here, there } = await twoSites(3, claims, 300);
    const lesson = await room.asset('lesson.ts', 900_000);
    await room.ask(here, lesson, { deadline: 20_000 });
    await room.world.clock.until(() => room.crossed(lesson).length === 1);
    const askings = await room.ask(there, lesson, { deadline: 20_000 });
    await room.world.clock.advance(1200);
    for (const peer of here) peer.die();
    await room.answered(askings);
    assert.ok(crossings(room, lesson, 'B') <= 1, room.crossed(lesson).join());
    for (const asking of askings) assert.deepEqual(gotOf(asking).body, lesson.body);
    const bound = FIRST_BYTE_MS + MAX_TIMER_MS + CLAIM_PATIENCE_MS + room.alone(lesson);
    assert.ok(slowest(askings) <= bound, `${slowest(askings)} ms`);
  });
}

test('while another site takes long to its first byte, nobody else of ours asks it too', async () => {
  const room = new Classroom();
  const lesson = await room.asset('lesson.ts', 500_000);
  const here = await room.peers(4, { site: 'A' });
  await room.settled(here, false);
  room.world.rawPeer('R', { site: 'R', claims: [lesson.name.digest] });
  await room.world.clock.until(() => here.every(({ stats }) => stats.peers === 4));
  const askings = await room.ask(here.slice(1), lesson, { deadline: 10_000 }); // the keeper is of no help
  await room.answered(askings);
  const who = new Set(room.world.log.map((line) => / (A\d)>R pick /.exec(line)?.[1]).filter(Boolean));
  assert.equal(who.size, 1, [...who].join());
  assert.equal(crossings(room, lesson, 'A'), 1, room.crossed(lesson).join());
});

test('who fell silent is asked last for a while, and nobody is told of what only it could bring', async () => {
  const room = new Classroom();
  const assets = await Promise.all(
    [500_000, 400_000, 300_000, 200_000].map((size, i) => room.asset(`lesson${i}.ts`, size)),
  );
  const [first, second, third, fourth] = assets as [TestAsset, TestAsset, TestAsset, TestAsset];
  const a = (await room.peers(1, { site: 'A' }))[0]!;
  await room.settled([a], true);
  room.world.rawPeer('R', { site: 'R', claims: assets.map(({ name }) => name.digest) });
  await room.world.clock.until(() => a.stats.peers === 1);
  const b = (await room.peers(1, { site: 'B' }))[0]!;
  await room.world.clock.until(() => a.stats.peers === 2 && b.stats.peers === 2);
  await room.answered(await room.ask([b], third));
  const during = async (asset: TestAsset, pause = 0): Promise<string[]> => {
    const before = room.world.log.length;
    await room.answered(await room.ask([a], asset, { deadline: 10_000 }));
    await room.world.clock.advance(pause);
    return room.world.log
      .slice(before)
      .map((line) => line.split(' ').slice(1, 3).join(' '))
      .filter((line) => !/p[io]ng$/.test(line));
  };
  const unknown = await during(first, SILENT_PAUSE_MS);
  assert.ok(unknown.indexOf('A0>B0 fetching') < unknown.indexOf('A0>R cancel'), unknown.join());
  const known = await during(second, 2 * SILENT_PAUSE_MS);
  assert.ok(
    known.indexOf('A0>R cancel') > 0 && known.indexOf('A0>B0 fetching') > known.indexOf('A0>R cancel'),
    known.join(),
  );
  const requests = (await during(third)).filter((line) => line.endsWith('pick'));
  assert.equal(requests[0], 'A0>B0 pick');
  assert.ok(requests.includes('A0>R pick'), requests.join());
  await room.world.clock.advance(2 * SILENT_PAUSE_MAX_MS);
  const forgotten = await during(fourth);
  assert.ok(forgotten.indexOf('A0>B0 fetching') < forgotten.indexOf('A0>R cancel'), forgotten.join());
});

test('households of one take from each other what one of them has', async () => {
  const room = new Classroom();
  const homes: WorldPeer[] = [];
  for (const site of ['A', 'B', 'C', 'D']) homes.push(...(await room.peers(1, { site })));
  await room.settled(homes, true);
  const lesson = await room.asset('lesson.ts', 500_000);
  await room.answered(await room.ask(homes.slice(0, 1), lesson));
  const askings = await room.ask(homes.slice(1), lesson);
  await room.answered(askings);
  assert.deepEqual(room.crossed(lesson), ['A0']);
  assert.ok(slowest(askings) < 300, `${slowest(askings)} ms`);
});

test('households that are in a hurry do not wait for each other', async () => {
  const room = new Classroom();
  const homes: WorldPeer[] = [];
  for (const site of ['A', 'B', 'C', 'D']) homes.push(...(await room.peers(1, { site })));
  await room.settled(homes, true);
  const lesson = await room.asset('lesson.ts', 500_000);
  const askings = await room.ask(homes, lesson);
  await room.answered(askings);
  assert.ok(slowest(askings) <= room.alone(lesson) + HEAR_MS, `${slowest(askings)} ms`);
});
