import assert from 'node:assert/strict';
import test from 'node:test';
import { DUTY_MS, KEEPER_CROSSINGS, MAX_DUTIES } from '../../../mesh/core/limits.ts';
import { Keeper } from '../../../mesh/engine/keeper.ts';
import type { Digest, SwarmId } from '../../../protocol/ids.ts';
import type { Expected } from '../../../protocol/page.ts';
import type { Want } from '../../../protocol/peer-message.ts';
import { VirtualClock } from '../world/virtual-clock.ts';

const SWARM = 'lesson' as SwarmId;
const digestOf = (i: number): Digest => i.toString(16).padStart(64, '0') as Digest;
const expected = (i: number): Expected => ({
  url: `https://school.test/${i}.ts`,
  name: { digest: digestOf(i), size: 1000 },
  within: 10_000,
});
const want = (i: number, within = 5000): Want => ({ digest: digestOf(i), within });
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

interface Bringing {
  readonly index: number;
  readonly within: number;
  readonly signal: AbortSignal;
  readonly done: () => void;
}

class Site {
  readonly clock = new VirtualClock();
  readonly bringing: Bringing[] = [];
  readonly announced: number[][] = [];
  readonly has = new Set<number>();
  readonly needed = new Set<Digest>();
  isKeeper = true;
  readonly keeper = new Keeper({
    clock: this.clock,
    isKeeper: () => this.isKeeper,
    needed: this.needed,
    holds: (digest) => this.has.has(parseInt(digest, 16)),
    isComing: () => false,
    bring: (_, { name, within }, signal) =>
      new Promise((done) => this.bringing.push({ index: parseInt(name.digest, 16), within, signal, done })),
    announce: (_, digests) => this.announced.push(digests.map((digest) => parseInt(digest, 16))),
  });

  get begun(): number[] {
    return this.bringing.map(({ index }) => index);
  }

  constructor(count: number) {
    this.keeper.expect(1, SWARM, upTo(count).map(expected));
  }
}

test('what a player expects is known until it expects something else', () => {
  const { keeper, needed } = new Site(2);
  keeper.expect(2, SWARM, [expected(1), expected(2)]);
  const known = (): boolean[] => upTo(4).map((i) => needed.has(digestOf(i)));
  assert.deepEqual(known(), [true, true, true, false]);
  keeper.expect(1, SWARM, [expected(3)]);
  assert.deepEqual(known(), [false, true, true, true]);
  keeper.expect(2, SWARM, []);
  assert.deepEqual(known(), [false, false, false, true]);
});

test('what our players expect too is brought, two at a time, the most urgent first; all of it is announced before it begins', async () => {
  const site = new Site(5);
  site.keeper.wanted(SWARM, [want(0, 9000), want(1, 1000), want(2, 5000), want(3, 3000)]);
  assert.equal(KEEPER_CROSSINGS, 2);
  assert.deepEqual(site.begun, [1, 3]);
  assert.deepEqual(site.announced, [[0, 1, 2, 3]]);
  await site.clock.advance(1500);
  site.bringing[0]!.done();
  await site.clock.advance(0);
  assert.deepEqual(site.begun, [1, 3, 2]);
  assert.equal(site.bringing[2]!.within, 3500);
});

test('what we hold, have under way, or do not expect is not brought, and nothing by who is not keeper', () => {
  const site = new Site(2);
  site.has.add(0);
  site.keeper.wanted(SWARM, [want(0), want(7)]);
  site.keeper.wanted('other' as SwarmId, [want(1)]);
  site.isKeeper = false;
  site.keeper.wanted(SWARM, [want(1)]);
  assert.deepEqual([site.begun, site.announced], [[], []]);
});

test('what came meanwhile by another way is dropped', async () => {
  const site = new Site(3);
  site.keeper.wanted(SWARM, [want(0), want(1), want(2)]);
  site.has.add(2);
  site.bringing[0]!.done();
  await site.clock.advance(0);
  assert.deepEqual(site.begun, [0, 1]);
});

test('a window that ends is not expected any more; several players add up', () => {
  const site = new Site(1);
  site.keeper.expect(2, SWARM, [expected(8)]);
  site.keeper.expect(1, SWARM, []);
  site.keeper.wanted(SWARM, [want(0), want(8)]);
  assert.deepEqual(site.begun, [8]);
});

test('one that takes long makes place for the next, and is given up in the end', async () => {
  const site = new Site(6);
  site.keeper.wanted(
    SWARM,
    upTo(6).map((i) => want(i, 60_000 + i)),
  );
  assert.deepEqual(site.begun, [0, 1]);
  await site.clock.advance(DUTY_MS);
  assert.deepEqual(site.begun, [0, 1, 2, 3]);
  assert.equal(site.bringing[0]!.signal.aborted, false);
  await site.clock.advance(DUTY_MS);
  assert.equal(site.bringing[0]!.signal.aborted, true);
  // Those that end after all free no second place.
  site.bringing[0]!.done();
  site.bringing[1]!.done();
  await site.clock.advance(0);
  assert.deepEqual(site.begun, [0, 1, 2, 3, 4, 5]);
});

test('wants beyond the cap are not kept', () => {
  const site = new Site(MAX_DUTIES + 20);
  site.keeper.wanted(
    SWARM,
    upTo(MAX_DUTIES + 20).map((i) => want(i)),
  );
  assert.ok(site.announced[0]!.length <= MAX_DUTIES);
});
