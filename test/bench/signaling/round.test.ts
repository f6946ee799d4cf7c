/** A small round of each system with its real server: nothing is compared, but each figure has to be there, and each signal has to come. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULTS, type SignalingBenchOptions } from '../../../bench/signaling/options.ts';
import { runRound } from '../../../bench/signaling/round.ts';
import { SYSTEMS } from '../../../bench/signaling/systems.ts';

const SMALL: SignalingBenchOptions = {
  ...DEFAULTS,
  peers: 300,
  signals: 500,
  burst: 600,
  warmUp: 40,
  newsMs: 100,
  idleMs: 100,
};

for (const system of SYSTEMS)
  test(`${system.name}: peers connect, join, exchange signals and are dropped, and no survivor's signal is lost`, async () => {
    const round = await runRound(system, SMALL, undefined);
    const figures = [
      'rss',
      'live',
      'connect',
      'join',
      'joinGrowth',
      'idle',
      'signal',
      'signalAnswered',
      'drop',
    ] as const;
    for (const name of figures) assert.ok(Number.isFinite(round[name]), `${name} is ${round[name]}`);
    assert.ok((round.live ?? 0) > 1000, 'a peer takes memory');
    assert.equal(round.dropLost, 0);
    assert.equal(round.burst?.failed, 0);
  });
