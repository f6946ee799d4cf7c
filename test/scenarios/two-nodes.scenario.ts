/** Two servers, one Redis, nginx before them: issue D, D2 and D3. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import test, { type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { P2PMesh } from '../../index.ts';
import type { PeerId } from '../../protocol/ids.ts';
import { KEY_PREFIX } from '../../server/redis/keys.ts';
import { RedisLink } from '../../server/redis/redis-link.ts';
import { noNginx, startNginx } from '../harness/nginx.ts';
import { noRedis, startRedis, type TestRedis } from '../harness/redis.ts';
import { serve, type TestServer } from '../harness/serve.ts';
import { until } from '../harness/until.ts';
import { person } from './support/person.ts';
import { SignalingPeer } from './support/signaling-peer.ts';
import { KIT } from './support/stage.ts';
import { connected, inPage, meshStats, type AnyPage } from './support/viewer.ts';

const skip = noRedis ?? noNginx ?? false;

const PEERS = 200;

/** After the death of a node, until all its peers are at the other, ms: D2. */
const MOVED_MS = 15_000;

/** Files that one browser has and the other takes, one after the other, until what happens meanwhile is over. */
const FILES = 300;
/** Pause between two of them, ms. */
const PACE = 200;
const FILE_BYTES = 100_000;
/** Without a stall a file takes a tenth of a second; one that waits for a server that is away takes two seconds at least, ms. */
const STALL_MS = 1500;
/** Others who join and signal meanwhile, all the time. */
const CROWD = 60;
/** Pause between two of them, ms. */
const BUSY_PACE = 10;

test(
  `one of two nodes is killed: all of ${PEERS} peers are at the other in 15 s, none lost, none twice`,
  { skip },
  async (t) => {
    const { redis, nodes } = await twoNodes(t);
    const { port } = await startNginx(t, [nodes[0].port, nodes[1].port]);
    const peers = Array.from({ length: PEERS }, (_, number) => new SignalingPeer(port, number, 'lesson'));
    t.after(() => peers.forEach((peer) => peer.close()));
    const everybody = (): Promise<unknown> =>
      until('everybody is in', () => peers.every(({ joined }) => joined !== null), { timeout: 30_000 });
    await everybody();
    const before = await heldBy(t, redis);
    assert.equal(before.length, 2);
    assert.ok(Math.min(...before) >= PEERS / 10, `nginx spreads them: ${before.join(' and ')}`);
    await signalAround(peers);

    const killed = performance.now();
    await nodes[0].kill('SIGKILL');
    await until('its peers know', () => peers.some(({ joined }) => joined === null));
    await everybody();
    const took = performance.now() - killed;
    t.diagnostic(
      `${before.join(' and ')} peers; all at one node ${(took / 1000).toFixed(1)} s after the other was killed`,
    );
    assert.ok(took < MOVED_MS);
    await until('the directory has forgotten the dead node', async () => (await heldBy(t, redis)).length === 1);
    assert.deepEqual(await heldBy(t, redis), [PEERS]);
    const views = await Promise.all(peers.map((peer) => peer.join()));
    assert.deepEqual([...new Set(views.map((view) => view?.swarms[0]?.size))], [PEERS], 'each is counted once');
    assert.equal(new Set(views.map((view) => view?.peer)).size, PEERS);
    assert.equal(new Set(views.map((view) => view?.swarms[0]?.keeper)).size, 1);
    await signalAround(peers);
  },
);

test(
  'the nodes are restarted one after the other, under load: transfers between browsers go on, without a stall and without the origin',
  { skip },
  async (t) => {
    const { nodes } = await twoNodes(t);
    const { url, port } = await startNginx(t, [nodes[0].port, nodes[1].port]);
    const crowd = Array.from({ length: CROWD }, (_, number) => new SignalingPeer(port, number, 'crowd'));
    t.after(() => crowd.forEach((peer) => peer.close()));
    const [giver, taker] = await Promise.all([person(t), person(t)]);
    await giver.goto(`${url}/media/page.html`);
    await takeFiles(giver.page);
    await until('the giver has all', async () => (await takenBy(giver.page)).length === FILES, { timeout: 60_000 });
    await taker.goto(`${url}/media/page.html`);
    await Promise.all([connected(giver.page), connected(taker.page)]);

    await takeFiles(taker.page, PACE);
    const busy = keepBusy(crowd);
    for (const node of nodes) {
      const had = (await takenBy(taker.page)).length;
      await node.restart();
      await ready(node);
      await until('more is taken', async () => (await takenBy(taker.page)).length > had);
    }
    await until('others have exchanged signals', () => busy.taken >= CROWD);
    await busy.end();
    const taken = await stopTaking(taker.page);
    const { bytes } = await meshStats(taker.page);
    t.diagnostic(
      `${taken.length} files, the slowest in ${Math.max(...taken)} ms; origin ${bytes.origin}, peers ${bytes.peers} bytes; ${busy.taken} signals of others`,
    );
    assert.ok(Math.max(...taken) < STALL_MS, `${Math.max(...taken)} ms`);
    assert.ok(bytes.peers >= taken.length * FILE_BYTES, `${bytes.peers} bytes from the neighbour`);
    for (const { page } of [giver, taker])
      await until(
        'it is in the mesh again',
        async () => {
          const { signaling } = await meshStats(page);
          if (signaling === 'joined') return true;
          throw new Error(signaling);
        },
        { timeout: 4 * MOVED_MS },
      );
  },
);

test(
  'Redis is away for 10 s: what is under way goes on, who comes meets those of the same node, and 10 s later all is right',
  { skip: noRedis ?? false },
  async (t) => {
    const { redis, nodes } = await twoNodes(t);
    const [left, right] = nodes;
    const at = (node: TestServer): string => `${left.url}/media/page.html?signal=${node.url}`;
    const [giver, taker] = await Promise.all([person(t), person(t)]);
    await giver.goto(at(left));
    await takeFiles(giver.page);
    await until('the giver has all', async () => (await takenBy(giver.page)).length === FILES, { timeout: 60_000 });
    await taker.goto(at(right));
    await Promise.all([connected(giver.page), connected(taker.page)]);

    await takeFiles(taker.page, PACE);
    const stopped = performance.now();
    await redis.stop();
    await Promise.all(
      nodes.map((node) => until('the node says so', async () => (await fetch(`${node.url}/readyz`)).status === 503)),
    );
    const newcomer = await person(t);
    await newcomer.goto(at(left));
    await connected(newcomer.page);
    await until('ten seconds are over', () => performance.now() - stopped > 10_000, { timeout: 20_000 });
    await redis.start();
    const back = performance.now();
    await Promise.all(nodes.map(ready));
    const sizes = async (): Promise<boolean> => {
      const link = await linkTo(t, redis);
      const counts = (await link.run(
        `local counts = {}
for _, key in ipairs(redis.call('KEYS', '${KEY_PREFIX}all:*')) do counts[#counts + 1] = redis.call('SCARD', key) end
return counts`,
        [],
      )) as number[];
      return counts.includes(3);
    };
    await until('all three are in the directory', sizes);
    t.diagnostic(`right again ${((performance.now() - back) / 1000).toFixed(1)} s after Redis was back`);
    assert.ok(performance.now() - back < 10_000);
    const had = (await takenBy(taker.page)).length;
    await until('more is taken', async () => (await takenBy(taker.page)).length > had);
    const taken = await stopTaking(taker.page);
    const { bytes, peers } = await meshStats(taker.page);
    assert.ok(taken.length < FILES, 'it went on all the time');
    assert.ok(bytes.peers >= taken.length * FILE_BYTES, `${bytes.peers} bytes from the neighbour`);
    assert.ok(peers >= 1);
  },
);

interface TwoNodes {
  readonly redis: TestRedis;
  readonly nodes: readonly [TestServer, TestServer];
  readonly media: string;
}

/** Both with the same files, and ready. */
async function twoNodes(t: TestContext): Promise<TwoNodes> {
  const redis = await startRedis(t);
  const media = await mkdtemp(join(tmpdir(), 'p2p-nodes-'));
  t.after(() => rm(media, { recursive: true, force: true, maxRetries: 5 }));
  await writeFile(join(media, 'page.html'), PAGE);
  for (let i = 0; i < FILES; i++) await writeFile(join(media, `${i}.bin`), Buffer.alloc(FILE_BYTES, `file ${i} `));
  const start = async (): Promise<TestServer> => {
    const node = await serve({
      media,
      flags: ['--redis', redis.url, '--trust-proxy', '1', '--log-level', 'warn'],
    });
    t.after(() => node.kill('SIGKILL'));
    return node;
  };
  const nodes = await Promise.all([start(), start()]);
  await Promise.all(nodes.map(ready));
  return { redis, nodes, media };
}

const ready = (node: TestServer): Promise<unknown> =>
  until('the node is ready', async () => (await fetch(`${node.url}/readyz`)).status === 200);

async function linkTo(t: TestContext, redis: TestRedis): Promise<RedisLink> {
  const link = new RedisLink(redis.url);
  t.after(() => link.close());
  await until('Redis answers', async () => (await link.publish('nobody', '')) === 0);
  return link;
}

/** How many peers each node has, by the directory. */
async function heldBy(t: TestContext, redis: TestRedis): Promise<number[]> {
  const link = await linkTo(t, redis);
  const held = `local counts = {}
for _, node in ipairs(redis.call('ZRANGE', '${KEY_PREFIX}nodes', 0, -1)) do counts[#counts + 1] = redis.call('SCARD', '${KEY_PREFIX}held:' .. node) end
return counts`;
  const counts = (await link.run(held, [])) as number[];
  link.close();
  return counts;
}

interface Busy {
  /** Signals that a server took. */
  taken: number;
  readonly end: () => Promise<void>;
}

/** They join again and signal to whom the server names, one after the other, whether they are in or not. */
function keepBusy(peers: readonly SignalingPeer[]): Busy {
  let isOver = false;
  const work = async (): Promise<void> => {
    while (!isOver)
      for (const peer of peers) {
        const to = (await peer.join())?.swarms[0]?.members[0];
        if (to !== undefined && (await peer.signal(to, 'x'.repeat(500)))) busy.taken++;
        await delay(BUSY_PACE);
      }
  };
  const busy: Busy = {
    taken: 0,
    end: async () => {
      isOver = true;
      await working;
    },
  };
  const working = work();
  return busy;
}

/** Each says something to somebody whom the server names: it comes once, wherever that one is. */
async function signalAround(peers: readonly SignalingPeer[]): Promise<void> {
  const texts = new Map<PeerId, string[]>();
  await Promise.all(
    peers.map(async (peer, index) => {
      const view = await peer.join();
      const to = view?.swarms[0]?.members[0];
      assert.ok(to, 'somebody is named');
      const text = `from ${index}, ${peer.signals.length}`;
      texts.set(to, [...(texts.get(to) ?? []), text]);
      assert.ok(await peer.signal(to, text), 'the server takes it');
    }),
  );
  const saidTo = (peer: SignalingPeer): string[] =>
    peer.signals.map(({ signal }) => ('sdp' in signal ? signal.sdp : '')).sort();
  const expected = (peer: SignalingPeer): string[] => (peer.joined ? (texts.get(peer.joined.peer) ?? []) : []).sort();
  await until('all of it has come', () => peers.every((peer) => saidTo(peer).length >= expected(peer).length));
  for (const peer of peers) {
    assert.deepEqual(saidTo(peer), expected(peer));
    peer.signals.length = 0;
  }
}

/** Its query may name another server for signaling. */
const PAGE = `<!doctype html>
<title>files</title>
<script>
const signal = new URLSearchParams(location.search).get('signal');
document.write(signal ? '<p2p-mesh signal="' + signal + '"></p2p-mesh>' : '<p2p-mesh></p2p-mesh>');
</script>
<p2p-stats></p2p-stats>
${KIT}
`;

interface WithTaken {
  taken?: number[];
  isEnough?: boolean;
  taking?: Promise<void>;
}

/** Takes one file after the other, until it is enough. */
const takeFiles = (page: AnyPage, pace = 0): Promise<void> =>
  inPage(
    page,
    ({ files, pace }) => {
      const mesh = document.querySelector<P2PMesh>('p2p-mesh')!.mesh;
      const state = window as WithTaken;
      const taken: number[] = (state.taken = []);
      state.taking = (async () => {
        for (let i = 0; i < files && !state.isEnough; i++) {
          const began = performance.now();
          await (await mesh.fetch(`/media/${i}.bin`)).arrayBuffer();
          taken.push(Math.round(performance.now() - began));
          await new Promise((resolve) => setTimeout(resolve, pace));
        }
      })();
    },
    { files: FILES, pace },
  );

/** @returns how long each took, ms */
const stopTaking = (page: AnyPage): Promise<number[]> =>
  inPage(page, async () => {
    const state = window as WithTaken;
    state.isEnough = true;
    await state.taking;
    return state.taken ?? [];
  });

/** How long each took that is here, ms. */
const takenBy = (page: AnyPage): Promise<number[]> => inPage(page, () => (window as WithTaken).taken ?? []);
