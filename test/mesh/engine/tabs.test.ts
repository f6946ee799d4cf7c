/** Several tabs that use one engine. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { MANIFEST_FRESH_MS, TAB_ALIVE_EVERY_MS } from '../../../mesh/core/limits.ts';
import { Tabs } from '../../../mesh/engine/tabs.ts';
import type { Alive, FromTab, Shareable, TabStats, ToTab } from '../../../protocol/page.ts';
import { BLOCK_BYTES } from '../../../protocol/limits.ts';
import { swarmOfName } from '../../../protocol/swarm.ts';
import type { TestAsset } from '../world/test-asset.ts';
import type { WorldPeer, WorldPeerOptions } from '../world/world-peer.ts';
import { World } from '../world/world.ts';

/** The engine's end of a port; the test is the tab. */
class FakePort {
  onmessage: ((event: { data: FromTab }) => void) | null = null;
  readonly heard: (ToTab | Alive)[] = [];
  isClosed = false;

  postMessage(message: ToTab | Alive): void {
    this.heard.push(message);
  }

  close(): void {
    this.isClosed = true;
  }

  say(message: FromTab): void {
    this.onmessage?.({ data: message });
  }

  load(id: number, asset: TestAsset, more: object = {}): void {
    this.say({
      type: 'load',
      id,
      url: asset.url,
      name: asset.name,
      swarm: null,
      deadline: null,
      age: 0,
      unlisted: 'fetch',
      range: null,
      ...more,
    });
  }

  answer(id: number): Extract<ToTab, { type: 'loaded' }> | undefined {
    return this.heard.find((message) => message.type === 'loaded' && message.id === id) as never;
  }
}

interface Room {
  readonly world: World;
  readonly lesson: TestAsset;
  readonly peer: WorldPeer;
  readonly tabs: Tabs;
  readonly own: ToTab[];
  /** @returns the tab's port, and how it ends */
  admit(lock: string): [port: FakePort, gone: () => void];
}

async function room(options: Partial<WorldPeerOptions> = {}): Promise<Room> {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 500_000);
  const peer = world.peer('A', options);
  const own: ToTab[] = [];
  const tabs = new Tabs(peer.engine, world.clock, (message) => own.push(message));
  const admit = (lock: string): [FakePort, () => void] => {
    const port = new FakePort();
    let end: () => void = () => undefined;
    tabs.admit(port as unknown as MessagePort, lock, new Promise((resolve) => (end = resolve)));
    return [port, end];
  };
  return { world, lesson, peer, tabs, own, admit };
}

const statsOf = (port: FakePort | ToTab[], { peer, tabs }: Room): TabStats => {
  tabs.tell({ type: 'stats', stats: peer.engine.stats });
  const messages = port instanceof FakePort ? port.heard : port;
  const last = messages.findLast((message) => message.type === 'stats');
  return (last as Extract<ToTab, { type: 'stats' }>).stats;
};

test('each tab gets its own answers, and counts what it used itself; the peer counts all', async () => {
  const scene = await room();
  const { world, lesson, own, admit } = scene;
  const [[b], [c]] = [admit('b'), admit('c')];
  b.load(1, lesson);
  await world.clock.until(() => b.answer(1) !== undefined);
  c.load(1, lesson);
  await world.clock.until(() => c.answer(1) !== undefined);
  assert.deepEqual(
    [b, c].map((port) => port.answer(1)!.source),
    ['origin', 'store'],
  );
  assert.equal(
    own.some(({ type }) => type === 'loaded'),
    false,
  );
  assert.deepEqual(statsOf(b, scene).bytes, { origin: 500_000, peers: 0, store: 0, uploaded: 0 });
  assert.deepEqual(statsOf(c, scene).bytes, { origin: 0, peers: 0, store: 500_000, uploaded: 0 });
  assert.deepEqual(statsOf(own, scene).bytes, { origin: 0, peers: 0, store: 0, uploaded: 0 });
  assert.deepEqual(statsOf(own, scene).total, { origin: 500_000, peers: 0, store: 500_000, uploaded: 0 });
  assert.equal(statsOf(c, scene).tabs, 3);
});

test('what two tabs want at once is brought once, and is the use of who asked first', async () => {
  const scene = await room();
  const { world, lesson, admit } = scene;
  const [[b], [c]] = [admit('b'), admit('c')];
  b.load(1, lesson);
  c.load(1, lesson);
  await world.clock.until(() => b.answer(1) !== undefined && c.answer(1) !== undefined);
  assert.equal(world.origin.asked('A').filter(({ url }) => url === lesson.url).length, 1);
  assert.deepEqual([statsOf(b, scene).bytes.origin, statsOf(c, scene).bytes.origin], [500_000, 0]);
});

test('what came without a name counts once, also when the tab hands it out with the name that it has by now', async () => {
  const scene = await room();
  const { world, lesson, admit } = scene;
  const [[b], [c]] = [admit('b'), admit('c')];
  b.load(1, lesson, { name: null });
  await world.clock.until(() => b.answer(1) !== undefined);
  const body = lesson.body.slice().buffer;
  b.say({
    type: 'keep',
    url: lesson.url,
    swarm: null,
    body,
    contentType: '',
    shareable: b.answer(1)!.shareable === true,
    name: lesson.name,
  });
  await world.clock.advance(1000);
  c.load(1, lesson);
  await world.clock.until(() => c.answer(1) !== undefined);
  assert.equal(c.answer(1)!.source, 'store');
  assert.equal(statsOf(b, scene).bytes.origin, 500_000);
  assert.equal(statsOf(c, scene).total.origin, 500_000);
});

test('other tabs hear twice a second that the engine is there, with the secret of the peer, until they are gone', async () => {
  const { world, peer, admit } = await room();
  const [port, end] = admit('b');
  await world.clock.advance(4 * TAB_ALIVE_EVERY_MS + 1);
  const beats = port.heard.filter((message) => message.type === 'alive');
  assert.equal(beats.length, 5);
  assert.equal(beats.at(-1)!.resume, peer.engine.resume);
  assert.notEqual(peer.engine.resume, null);
  end();
  await world.clock.advance(10 * TAB_ALIVE_EVERY_MS);
  assert.equal(port.heard.filter((message) => message.type === 'alive').length, 5);
  assert.equal(port.isClosed, true);
});

test('what a tab that is gone had asked for is not brought any more', async () => {
  const { world, lesson, peer, admit } = await room();
  world.origin.bytesPerMillisecond = 100;
  const [port, end] = admit('b');
  port.load(1, lesson);
  await world.clock.until(() => peer.stats.bytes.origin > 100_000);
  end();
  await world.clock.advance(10_000);
  assert.ok(peer.stats.bytes.origin < 300_000, `${peer.stats.bytes.origin} bytes`);
});

test('a tab that asks again gives up its older port', async () => {
  const scene = await room();
  const [older] = scene.admit('b');
  const [newer] = scene.admit('b');
  assert.deepEqual([older.isClosed, newer.isClosed], [true, false]);
  assert.equal(statsOf(newer, scene).tabs, 2);
});

test('players of two tabs do not replace each other, and end with their tab', async () => {
  const { peer, tabs, admit } = await room();
  const windows: { player: number; count: number }[] = [];
  const real = peer.engine.expect.bind(peer.engine);
  peer.engine.expect = (message) => {
    windows.push({ player: message.player, count: message.assets.length });
    real(message);
  };
  const [port, end] = admit('b');
  const assets = [{ url: 'https://school.test/x', name: { digest: 'ab'.repeat(32), size: 1 } as never, within: 9 }];
  tabs.own.take({ type: 'window', player: 1, swarm: swarmOfName('lesson'), assets });
  port.say({ type: 'window', player: 1, swarm: swarmOfName('lesson'), assets });
  port.say({ type: 'window', player: 1, swarm: swarmOfName('lesson'), assets });
  end();
  await new Promise(setImmediate);
  const [mine, theirs, again, over] = windows;
  assert.notEqual(mine!.player, theirs!.player);
  assert.equal(theirs!.player, again!.player);
  assert.deepEqual(over, { player: theirs!.player, count: 0 });
  assert.equal(windows.length, 4);
});

test('when another tab leads all ports are closed', async () => {
  const { tabs, admit } = await room();
  const ports = [admit('b'), admit('c')].map(([port]) => port);
  tabs.dismiss();
  assert.deepEqual(
    ports.map(({ isClosed }) => isClosed),
    [true, true],
  );
});

for (const isRight of [true, false])
  test(`what an engine that is gone had given of an asset is ${isRight ? 'gone on with' : 'thrown away where it is not the asset'}`, async () => {
    const { world, lesson, peer, admit } = await room();
    const [port] = admit('b');
    const other = world.peer('B');
    await other.get(lesson);
    const { leaves } = other.store.get(lesson.name.digest)!;
    const begun = lesson.body.slice(0, 3 * BLOCK_BYTES + 1000);
    if (!isRight) begun[BLOCK_BYTES + 7]! ^= 1;
    const bytes = [begun.slice(0, 100_000).buffer, begun.slice(100_000).buffer];
    await world.connected([peer, other]);
    const before = peer.stats.bytes.peers;
    port.load(1, lesson, { begun: { bytes, leaves: leaves.slice().buffer } });
    await world.clock.until(() => port.answer(1) !== undefined);
    assert.deepEqual(new Uint8Array(port.answer(1)!.body), lesson.body);
    const blocks = (500_000 - (peer.stats.bytes.peers - before)) / BLOCK_BYTES;
    assert.equal(blocks, isRight ? 3 : 2);
  });

test('a tab knows what it has used by the time it has it', async () => {
  const { world, lesson, admit } = await room();
  const [port] = admit('b');
  port.load(1, lesson);
  await world.clock.until(() => port.answer(1) !== undefined);
  const before = port.heard.slice(0, port.heard.indexOf(port.answer(1)!));
  const last = before.findLast((message) => message.type === 'stats');
  assert.equal((last as Extract<ToTab, { type: 'stats' }>).stats.bytes.origin, 500_000);
});

test('a tab that comes hears how things stand at once, and the others that it came and went', async () => {
  const { admit, own } = await room();
  const counts = (messages: readonly (ToTab | Alive)[]): number[] =>
    messages.flatMap((message) => (message.type === 'stats' ? message.stats.tabs : []));
  const [port, end] = admit('b');
  assert.deepEqual(counts(port.heard), [2]);
  end();
  await new Promise(setImmediate);
  assert.deepEqual(counts(own), [2, 1]);
});

test('a page that comes after a deploy gets the files of that, not those that the engine had loaded before', async () => {
  const MANIFEST = 'https://school.test/p2p-manifest.json';
  const { world, admit } = await room({ manifest: MANIFEST });
  const deploy = async (size: number): Promise<TestAsset> => {
    const asset = await world.asset('map.png', size);
    const assets = { '/map.png': { ...asset.name, type: 'image/png' } };
    const text = JSON.stringify({ version: 1, leaves: '/p2p/leaves/', assets });
    world.origin.put(MANIFEST, Uint8Array.from(Buffer.from(text)));
    return asset;
  };
  const before = await deploy(1000);
  const [b] = admit('b');
  b.load(1, before, { name: null });
  await world.clock.until(() => b.answer(1) !== undefined);
  const sw = new FakePort();
  b.say({ type: 'port', port: sw as unknown as MessagePort });
  await world.clock.advance(MANIFEST_FRESH_MS);
  const after = await deploy(2000);
  const [c] = admit('c');
  c.load(1, after, { name: null });
  await world.clock.until(() => c.answer(1) !== undefined);
  assert.deepEqual(new Uint8Array(c.answer(1)!.body), after.body);
  const listed = sw.heard.map((message) => (message as unknown as Shareable).files[0]!.size);
  assert.deepEqual(listed, [1000, 2000], 'the service worker of the older page hears of it too');
});

test('several tabs that come at once ask for the manifest once', async () => {
  const MANIFEST = 'https://school.test/p2p-manifest.json';
  const { world, admit } = await room({ manifest: MANIFEST });
  world.origin.put(MANIFEST, Uint8Array.from(Buffer.from(JSON.stringify({ version: 1, leaves: '/', assets: {} }))));
  await world.clock.advance(MANIFEST_FRESH_MS);
  for (const lock of ['b', 'c', 'd', 'b']) admit(lock);
  await world.clock.advance(1000);
  assert.equal(world.origin.asked('A').filter(({ url }) => url === MANIFEST).length, 2);
});
