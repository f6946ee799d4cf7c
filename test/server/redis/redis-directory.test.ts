import assert from 'node:assert/strict';
import { after, before, describe, test, type TestContext } from 'node:test';
import type { PeerId } from '../../../protocol/ids.ts';
import { RedisDirectory } from '../../../server/redis/redis-directory.ts';
import { RedisLink } from '../../../server/redis/redis-link.ts';
import { BEAT } from '../../../server/redis/scripts.ts';
import type { SiteKey } from '../../../server/site.ts';
import { freePort } from '../../harness/free-port.ts';
import { noRedis, TestRedis } from '../../harness/redis.ts';
import { directoryContract } from '../signaling/directory-contract.ts';
import { swarmId, until } from '../support.ts';

describe('the directory in Redis', { skip: noRedis ?? false }, () => {
  let redis: TestRedis;
  let link: RedisLink;
  let made = 0;

  before(async () => {
    redis = new TestRedis(await freePort());
    await redis.start();
    link = new RedisLink(redis.url);
    await until('Redis answers', () =>
      link.publish('x', 'x').then(
        (count) => count === 0,
        () => false,
      ),
    );
  });
  after(async () => {
    link.close();
    await redis.stop();
  });

  /** One in a part of Redis of its own. */
  async function make(
    t: TestContext,
    now?: () => number,
    prefix = `test:${made++}:`,
    { node = 'this server', taken = () => assert.fail() }: { node?: string; taken?: (peer: PeerId) => void } = {},
  ): Promise<RedisDirectory> {
    const directory = new RedisDirectory({
      now,
      run: (script, ...args) =>
        link.run(script, [prefix, node, now === undefined ? '' : String(1000 * now()), ...args]),
      lost: (error) => assert.fail(String(error)),
      taken,
      located: () => undefined,
      watch: () => () => undefined,
    });
    directory.redis = 'there';
    return directory;
  }

  // Redis's own choice from a set is only roughly fair, by how its hash happens to fill: 0.45 of a share was seen
  directoryContract(make, 15, 3);

  test('of a peer that comes and goes, word of its going counts where it came last, whichever is heard first', async (t) => {
    const directory = await make(t);
    const swarm = swarmId('lesson');
    const peer = 'a'.repeat(32) as PeerId;
    const entering = directory.enter(peer, 0);
    assert.equal(directory.gone(peer, 2), false, 'Redis has yet to say which is the later');
    assert.equal(await entering, 'superseded', 'the going is');
    const { size, members } = await directory.join(swarm, peer, 'here' as SiteKey);
    assert.deepEqual([size, members], [1, []]);
    assert.deepEqual([...directory.swarms], [], 'nothing is kept of it');
    const again = directory.enter(peer, 0);
    directory.gone(peer, 1);
    assert.deepEqual(await again, [], 'what is older does not count');
    assert.equal(directory.gone(peer, 3), true);
  });

  test('a peer whose newer tab came to another server while Redis was away is ours no more when it is back', async (t) => {
    const prefix = `test:${made++}:`;
    const [swarm, peer, site] = [swarmId('lesson'), 'a'.repeat(32) as PeerId, 'here' as SiteKey];
    const taken: PeerId[] = [];
    const left = await make(t, undefined, prefix, { node: 'left', taken: (gone) => taken.push(gone) });
    const right = await make(t, undefined, prefix, { node: 'right' });
    await link.run(BEAT, [prefix, 'right', '']);
    left.redis = 'away';
    await left.enter(peer, 1);
    await left.join(swarm, peer, site);
    await right.enter(peer, 2);
    await right.join(swarm, peer, site);
    left.redis = 'healing';
    await left.heal([]);
    assert.ok(left.healed());
    assert.deepEqual(taken, [peer]);
    assert.deepEqual([...left.swarms], [], 'nothing is kept of it');
    assert.equal((await left.state(swarm, site))?.keeper, peer, 'the other has it as before');
    await left.leaveAll(peer);
    assert.equal((await right.state(swarm, site))?.size, 1, 'and nobody takes it from there');
  });

  test('a join asks Redis for as much in a swarm of 3,000 as in one of 60', async (t) => {
    const directory = await make(t);
    const swarm = swarmId('lesson');
    const join = async (index: number): Promise<void> => {
      const peer = index.toString(16).padStart(32, '0') as PeerId;
      await directory.enter(peer, 0);
      await directory.join(swarm, peer, `site ${index % 20}` as SiteKey);
    };
    for (let i = 0; i < 60; i++) await join(i);
    const small = await commandsOf(() => join(60));
    for (let i = 61; i < 3000; i++) await join(i);
    const large = await commandsOf(() => join(3000));
    assert.ok(Math.abs(large - small) <= 30, `${small} and ${large} commands`);
  });

  /** How many commands Redis runs meanwhile, those within scripts included. */
  async function commandsOf(work: () => Promise<void>): Promise<number> {
    const count = async (): Promise<number> => {
      const info = String(await link.run("return redis.call('INFO', 'commandstats')", []));
      return [...info.matchAll(/calls=(\d+)/g)].reduce((sum, [, calls]) => sum + Number(calls), 0);
    };
    const start = await count();
    await work();
    return (await count()) - start;
  }
});
