import assert from 'node:assert/strict';
import { mock, test, type TestContext } from 'node:test';
import type { PeerId } from '../../../protocol/ids.ts';
import type { SwarmState } from '../../../protocol/signaling.ts';
import { SWARM_NEWS_DELAY_MS, SWARM_NEWS_INTERVAL_MS } from '../../../server/limits.ts';
import { MemoryDirectory } from '../../../server/signaling/memory-directory.ts';
import { SwarmNews } from '../../../server/signaling/swarm-news.ts';
import type { SiteKey } from '../../../server/site.ts';
import { swarmId } from '../support.ts';

const swarm = swarmId('lesson');
const [here, there] = ['here', 'there'] as [SiteKey, SiteKey];

function make(t: TestContext) {
  mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  t.after(() => mock.timers.reset());
  const directory = new MemoryDirectory();
  const sent: { site: SiteKey; state: SwarmState }[] = [];
  const siteOf = new Map<string, SiteKey>();
  const news = new SwarmNews<string>({
    directory,
    now: Date.now,
    send: (members, state) => {
      const [site = here] = [...members].map((name) => siteOf.get(name) ?? here);
      sent.push({ site, state });
    },
  });
  t.after(() => news.close());
  const join = (name: string, site = here): void => {
    siteOf.set(name, site);
    directory.join(swarm, name as PeerId, site);
    news.joined(swarm, site, name);
  };
  const leave = (name: string, site = here): void => {
    directory.leave(swarm, name as PeerId);
    news.left(swarm, site, name);
  };
  const pass = async (milliseconds: number): Promise<void> => {
    mock.timers.tick(milliseconds);
    for (let i = 0; i < 20; i++) await Promise.resolve(); // lets the directory's answers through
  };
  return { news, sent, join, leave, pass };
}

test('changes that come together are told together', async (t) => {
  const { sent, join, pass } = make(t);
  for (const name of ['a', 'b', 'c']) join(name);
  assert.equal(sent.length, 0);
  await pass(SWARM_NEWS_DELAY_MS);
  assert.deepEqual(
    sent.map(({ state }) => [state.size, state.keeper, state.next]),
    [[3, 'a', ['b', 'c']]],
  );
});

test('a swarm is told at most once a second, and the last change is not lost', async (t) => {
  const { sent, join, leave, pass } = make(t);
  join('a');
  await pass(SWARM_NEWS_DELAY_MS);
  for (let i = 0; i < 9; i++) {
    join(`b${i}`);
    await pass(100);
  }
  leave('a');
  assert.equal(sent.length, 1);
  await pass(SWARM_NEWS_INTERVAL_MS);
  assert.deepEqual(
    sent.map(({ state }) => [state.size, state.keeper]),
    [
      [1, 'a'],
      [9, 'b0'],
    ],
  );
});

test('each site is told its own keeper, and the sizes when somebody joins elsewhere', async (t) => {
  const { sent, join, pass } = make(t);
  join('a', here);
  join('b', there);
  await pass(SWARM_NEWS_DELAY_MS);
  assert.deepEqual(
    sent.map(({ site, state }) => [site, state.keeper, state.size, state.siteSize, state.sites]),
    [
      [here, 'a', 2, 1, 2],
      [there, 'b', 2, 1, 2],
    ],
  );
});

test('a site is not told again what it knows', async (t) => {
  const { sent, join, leave, pass } = make(t);
  join('a');
  await pass(SWARM_NEWS_DELAY_MS);
  join('b');
  leave('b');
  await pass(2 * SWARM_NEWS_INTERVAL_MS);
  assert.equal(sent.length, 1);
});

test('an empty swarm and a closed server have no timers and tell nothing', async (t) => {
  const { news, sent, join, leave, pass } = make(t);
  join('a');
  leave('a');
  await pass(5000);
  join('b');
  news.close();
  join('c');
  await pass(5000);
  assert.deepEqual(sent, []);
});

test('a large swarm is told less often', async (t) => {
  const { sent, join, pass } = make(t);
  for (let i = 0; i < 3000; i++) join(`p${i}`);
  await pass(SWARM_NEWS_DELAY_MS);
  for (let i = 0; i < 800; i++) join(`q${i}`);
  await pass(SWARM_NEWS_INTERVAL_MS + 1000);
  assert.equal(sent.length, 1);
  await pass(2500);
  assert.equal(sent.length, 2);
});

test('a swarm that grows while it waits is told as seldom as its size has it', async (t) => {
  const { sent, join, pass } = make(t);
  for (let i = 0; i < 100; i++) join(`p${i}`);
  await pass(SWARM_NEWS_DELAY_MS);
  for (let i = 0; i < 4900; i++) join(`q${i}`);
  await pass(SWARM_NEWS_INTERVAL_MS);
  await pass(3500);
  assert.equal(sent.length, 1);
  await pass(1000);
  assert.deepEqual(
    sent.map(({ state }) => state.size),
    [100, 5000],
  );
});

test('of a large swarm sizes are told where they are off by a quarter, who keeps always', async (t) => {
  const { sent, join, leave, pass } = make(t);
  for (let i = 0; i < 100; i++) join(`p${i}`);
  await pass(SWARM_NEWS_DELAY_MS);
  for (let i = 0; i < 24; i++) join(`q${i}`);
  await pass(SWARM_NEWS_INTERVAL_MS);
  assert.equal(sent.length, 1, '124 is near enough to 100');
  join('one more');
  await pass(SWARM_NEWS_INTERVAL_MS);
  assert.deepEqual(
    sent.map(({ state }) => state.size),
    [100, 125],
  );
  leave('p0');
  await pass(SWARM_NEWS_INTERVAL_MS);
  assert.equal(sent.at(-1)?.state.keeper, 'p1');
  leave('p3');
  await pass(SWARM_NEWS_INTERVAL_MS);
  assert.deepEqual(sent.at(-1)?.state.next, ['p2', 'p4'], 'who is next is always told');
});

test('of a small swarm each size is told', async (t) => {
  const { sent, join, pass } = make(t);
  for (let i = 0; i < 30; i++) join(`p${i}`);
  await pass(SWARM_NEWS_DELAY_MS);
  join('one more');
  await pass(SWARM_NEWS_INTERVAL_MS);
  assert.deepEqual(
    sent.map(({ state }) => state.size),
    [30, 31],
  );
});
