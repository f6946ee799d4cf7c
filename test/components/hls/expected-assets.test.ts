import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { expectedAssets, Expectations, type Upcoming } from '../../../components/hls/expected-assets.ts';
import { EXPECTED_DRIFT_MS } from '../../../components/hls/limits.ts';
import type { MeshFace } from '../../../mesh/page/types.ts';
import type { Digest } from '../../../protocol/ids.ts';
import { MAX_WANTS } from '../../../protocol/limits.ts';
import type { Expected } from '../../../protocol/page.ts';

const asset = (start: number, index = start): Upcoming => ({
  url: `https://a/${index}.ts`,
  name: { digest: index.toString(16).padStart(64, '0') as Digest, size: 1000 },
  start,
});

const shown = (assets: readonly Expected[]): string =>
  assets.map(({ url, within }) => `${url.slice(10, -3)}:${within}`).join(' ');

test('what is needed first comes first, of all tracks, each asset once', () => {
  const picture = [asset(4), asset(8), asset(12)];
  const sound = [asset(4, 40), asset(6, 60), asset(8, 80), asset(10, 60)];
  assert.equal(shown(expectedAssets([...picture, ...sound], 3, 1)), '4:1000 40:1000 60:3000 8:5000 80:5000 12:9000');
});

test('times follow the speed of playing; what is overdue is needed now', () => {
  assert.equal(shown(expectedAssets([asset(2), asset(7)], 3, 2)), '2:0 7:2000');
  assert.equal(shown(expectedAssets([asset(7)], 3, 0)), '7:4000');
});

test('no more than the mesh heeds', () => {
  const many = Array.from({ length: 99 }, (_, index) => asset(index));
  assert.equal(expectedAssets(many, 0, 1).length, MAX_WANTS);
});

function setUp(t: TestContext, swarm: string | null = 'lesson') {
  let now = 1000;
  t.mock.method(performance, 'now', () => now);
  const told: [number, string, string | undefined][] = [];
  const mesh = {
    expect: (player: number, assets: readonly Expected[], swarm?: string) => told.push([player, shown(assets), swarm]),
  } as unknown as MeshFace;
  const make = (): Expectations => new Expectations(mesh, swarm);
  return { told, make, wait: (milliseconds: number) => (now += milliseconds) };
}

test('the mesh is told when something changed, and only then', (t) => {
  const { told, make, wait } = setUp(t);
  const expectations = make();
  expectations.tell([]);
  expectations.tell(expectedAssets([asset(4), asset(8)], 0, 1));
  expectations.tell(expectedAssets([asset(4), asset(8)], 0, 1));
  wait(2000);
  expectations.tell(expectedAssets([asset(4), asset(8)], 2, 1));
  assert.equal(told.length, 1);
  expectations.tell(expectedAssets([asset(8), asset(12)], 2, 1));
  expectations.tell([]);
  expectations.tell([]);
  assert.deepEqual(
    told.map(([, assets, swarm]) => [assets, swarm]),
    [
      ['4:4000 8:8000', 'lesson'],
      ['8:6000 12:10000', 'lesson'],
      ['', 'lesson'],
    ],
  );
});

test('times that are off, as after a pause, are told anew', (t) => {
  const { told, make, wait } = setUp(t);
  const expectations = make();
  expectations.tell(expectedAssets([asset(4)], 0, 1));
  wait(EXPECTED_DRIFT_MS);
  expectations.tell(expectedAssets([asset(4)], 0, 1));
  assert.equal(told.length, 1);
  wait(1);
  expectations.tell(expectedAssets([asset(4)], 0, 1));
  assert.equal(told.length, 2);
});

test('each player of a page speaks for itself; without a swarm none is named', (t) => {
  const { told, make } = setUp(t, null);
  for (const expectations of [make(), make()]) expectations.tell(expectedAssets([asset(4)], 0, 1));
  assert.notEqual(told[0]?.[0], told[1]?.[0]);
  assert.equal(told[0]?.[2], undefined);
});
