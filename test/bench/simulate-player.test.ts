import assert from 'node:assert/strict';
import test from 'node:test';
import { Player, type PlayerOptions } from '../../bench/simulate/player.ts';
import { VirtualClock } from '../mesh/world/virtual-clock.ts';

interface Asked {
  readonly index: number;
  readonly deadline: number;
  readonly at: number;
  isAborted: boolean;
}

/** A player whose segments take a given time each. */
function playerThat(loadsIn: (index: number) => number, options: Partial<PlayerOptions> = {}, listed = () => 15) {
  const clock = new VirtualClock();
  const asked: Asked[] = [];
  const expected: { readonly index: number; readonly within: number }[][] = [];
  const player = new Player(
    {
      clock,
      playlist: async () => listed(),
      load: (index, deadline, done) => {
        const one: Asked = { index, deadline, at: clock.now(), isAborted: false };
        asked.push(one);
        clock.after(loadsIn(index), () => {
          if (!one.isAborted) done(true);
        });
        return { index, abort: () => (one.isAborted = true) };
      },
      expect: (coming) => expected.push([...coming]),
    },
    { segmentMs: 4000, segments: 15, isLive: false, ...options },
  );
  return { clock, player, asked, expected };
}

test('the first frame comes with the first segment, and the stream plays to its end', async () => {
  const { clock, player, asked } = playerThat(() => 500);
  await player.start();
  await clock.until(() => player.isOver, 70_000);
  assert.equal(player.firstFrame, 500);
  assert.equal(player.stalled, 0);
  assert.equal(clock.now(), 60_500);
  assert.deepEqual(
    asked.map(({ index }) => index),
    Array.from({ length: 15 }, (_, i) => i),
  );
});

test('it buffers thirty seconds ahead and says how long each segment has', async () => {
  const { clock, player, asked, expected } = playerThat(() => 100);
  await player.start();
  await clock.advance(2000);
  assert.deepEqual(
    asked.map(({ deadline }) => deadline),
    [0, 4000, 7900, 11_800, 15_700, 19_600, 23_500, 27_400],
  );
  assert.deepEqual(
    expected[1]?.map(({ index, within }) => [index, within]),
    Array.from({ length: 8 }, (_, i) => [i + 1, 4000 * (i + 1)]),
  );
});

test('it stalls while a segment is late, and no longer', async () => {
  const { clock, player } = playerThat((index) => (index === 1 ? 6000 : 100));
  await player.start();
  await clock.advance(5000);
  assert.equal(Math.round(player.stalled), 900);
  await clock.until(() => player.isOver, 70_000);
  assert.equal(Math.round(player.stalled), 2000);
});

test('a seek drops what was under way and asks for the new place at once', async () => {
  const { clock, player, asked } = playerThat(() => 1000);
  await player.start();
  await clock.advance(1500);
  player.seek(41_000);
  assert.deepEqual(
    asked.map(({ index, deadline, isAborted }) => [index, deadline, isAborted]),
    [
      [0, 0, false],
      [1, 4000, true],
      [10, 0, false],
    ],
  );
  await clock.advance(1000);
  assert.equal(player.stalled, 1000);
  player.seek(2000);
  await clock.advance(500);
  assert.equal(player.stalled, 1000, 'what was played once is still there');
});

test('live, it begins three segments before the edge and goes on as they appear', async () => {
  let listed = 5;
  const { clock, player, asked } = playerThat(
    () => 100,
    { isLive: true, segments: 30 },
    () => listed,
  );
  await player.start();
  await clock.advance(1000);
  assert.deepEqual(
    asked.map(({ index }) => index),
    [2, 3, 4],
  );
  listed = 6;
  await clock.advance(4000);
  assert.equal(asked.at(-1)?.index, 5);
  assert.equal(player.stalled, 0);
  await clock.advance(20_000);
  assert.notEqual(player.stalled, 0, 'the stream has stopped');
});
