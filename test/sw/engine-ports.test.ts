import assert from 'node:assert/strict';
import test from 'node:test';
import { EnginePorts } from '../../sw/engine-ports.ts';
import { PORT_WAIT_MS, UNVERIFIED_WAIT_MS } from '../../sw/limits.ts';

class FakeClient {
  readonly heard: unknown[] = [];
  readonly id: string;
  readonly url: string;

  constructor(id: string, path: string) {
    this.id = id;
    this.url = `https://school.test${path}`;
  }

  postMessage(message: unknown): void {
    this.heard.push(message);
  }
}

class FakePort {
  onmessage: ((event: { data: unknown }) => void) | null = null;
  closed = false;

  postMessage(): void {
    // The engine of these tests never answers.
  }

  close(): void {
    this.closed = true;
  }
}

/** Pages by id; those under `/kit` had the kit before. */
function setUp(...pages: FakeClient[]): {
  ports: EnginePorts;
  alive: Map<string, FakeClient>;
  told: unknown[];
  forgotten: string[];
  give: (page: FakeClient, port?: FakePort, unverified?: boolean) => FakePort;
} {
  const alive = new Map(pages.map((page) => [page.id, page]));
  const told: unknown[] = [];
  const unverifiedPages = new Set<string>();
  const forgotten: string[] = [];
  const clients = { get: async (id: string) => alive.get(id), matchAll: async () => [...alive.values()] };
  const list = {
    hasPage: (path: string) => path.startsWith('/kit') && !forgotten.includes(path),
    pageWithoutKit: async (path: string) => {
      if (path.startsWith('/kit')) forgotten.push(path);
    },
    update: async (...all: unknown[]) => void told.push(all),
    noteUnverified: async (path: string, unverified: boolean) => {
      if (unverified) unverifiedPages.add(path);
    },
    sharesUnverified: (path: string) => unverifiedPages.has(path),
  };
  const ports = new EnginePorts(
    clients,
    list as never,
    (url) => told.push(url),
    () => told.push('silent'),
  );
  const give = (page: FakeClient, port = new FakePort(), unverified = false): FakePort => {
    ports.connect(page, port as never, unverified);
    return port;
  };
  return { ports, alive, told, forgotten, give };
}

const FILE = { url: 'https://school.test/a.png', size: 3, type: 'image/png', parts: ['ab'.repeat(32)] };

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('the port that a page gave is found', async () => {
  const page = new FakeClient('1', '/kit');
  const { ports, give } = setUp(page);
  give(page);
  assert.notEqual(await ports.find('1', true), null);
  assert.deepEqual(page.heard, []);
});

test('a page that had the kit before is asked for its port and waited for', async () => {
  const page = new FakeClient('1', '/kit');
  const { ports, give } = setUp(page);
  const finding = [ports.find('1', true), ports.find('1', true)];
  await turn();
  assert.deepEqual(page.heard[0], { type: 'p2p-port-please' });
  give(page);
  const found = await Promise.all(finding);
  assert.ok(found[0] && found[0] === found[1]);
});

test('what the kit’s own start waits for does not wait for the kit, but uses it once it is there', async () => {
  const page = new FakeClient('1', '/kit');
  const { ports, give } = setUp(page);
  assert.equal(await ports.find('1', false), null);
  assert.deepEqual(page.heard, []);
  give(page);
  assert.notEqual(await ports.find('1', false), null);
});

test('a page that never had the kit, and one that is gone, are not waited for', async () => {
  const page = new FakeClient('1', '/plain');
  const { ports } = setUp(page);
  assert.deepEqual([await ports.find('1', true), await ports.find('2', true)], [null, null]);
  assert.deepEqual(page.heard, []);
});

test('a page that does not answer is waited for once, from its first request on', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  const { ports } = setUp(new FakeClient('1', '/kit'));
  let first: unknown = 'waiting';
  void ports.find('1', true).then((port) => (first = port));
  await turn();
  t.mock.timers.tick(PORT_WAIT_MS - 1);
  await turn();
  assert.equal(first, 'waiting');
  t.mock.timers.tick(1);
  await turn();
  assert.equal(first, null);
  now = PORT_WAIT_MS;
  assert.equal(await ports.find('1', true), null, 'at once');
});

test('a page that has the kit no more makes one visit wait, not the next', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  t.mock.method(performance, 'now', () => 0);
  const next = new FakeClient('2', '/kit');
  const { ports, forgotten } = setUp(new FakeClient('1', '/kit?x=1'), next);
  const finding = ports.find('1', true);
  await turn();
  assert.deepEqual(forgotten, []);
  t.mock.timers.tick(PORT_WAIT_MS);
  assert.equal(await finding, null);
  assert.deepEqual(forgotten, ['/kit']);
  assert.equal(await ports.find('2', true), null, 'at once');
  assert.deepEqual(next.heard, []);
});

test('a page that gave its port, and one that was closed before it could, are remembered', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  t.mock.method(performance, 'now', () => 0);
  const page = new FakeClient('1', '/kit');
  const { ports, forgotten, alive, give } = setUp(page, new FakeClient('2', '/kit/2'));
  const finding = [ports.find('1', true), ports.find('2', true)];
  await turn();
  give(page);
  alive.delete('2');
  t.mock.timers.tick(PORT_WAIT_MS);
  await Promise.all(finding);
  assert.deepEqual(forgotten, []);
});

test('a new port of the same page replaces the old one', async () => {
  const page = new FakeClient('1', '/kit');
  const { ports, give } = setUp(page);
  const old = give(page);
  const before = await ports.find('1', true);
  give(page);
  assert.equal(old.closed, true);
  assert.notEqual(await ports.find('1', true), before);
});

test('ports of pages that are gone are closed when another page comes', async () => {
  const [one, two] = [new FakeClient('1', '/kit'), new FakeClient('2', '/kit')];
  const { ports, alive, give } = setUp(one, two);
  const old = give(one);
  await turn();
  assert.equal(old.closed, false);
  alive.delete('1');
  give(two);
  await turn();
  assert.equal(old.closed, true);
  assert.equal(await ports.find('1', true), null);
});

test('what a page’s manifest lists is noted with the page’s path', async () => {
  const page = new FakeClient('1', '/kit/lesson?x=1#y');
  const { told, give } = setUp(page);
  give(page).onmessage?.({ data: { type: 'shareable', files: [FILE] } });
  await turn();
  assert.deepEqual(told, [['/kit/lesson', [FILE]], page.url]);
});

test('each visit of a page without the kit is told of once, after it was noted', async () => {
  const { ports, told } = setUp(new FakeClient('1', '/plain'), new FakeClient('2', '/plain'));
  await ports.find('1', true);
  await ports.find('1', true);
  await turn();
  assert.deepEqual(told, ['silent']);
  await ports.find('2', true);
  await turn();
  assert.deepEqual(told, ['silent', 'silent']);
});

test('for what is not listed only a page that lets it be shared is asked, and waited for shortly', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const [lets, not, other] = [
    new FakeClient('1', '/kit'),
    new FakeClient('2', '/kit/not'),
    new FakeClient('3', '/kit'),
  ];
  const { ports, give } = setUp(lets, not, other);
  give(lets, new FakePort(), true);
  give(not);
  assert.equal((await ports.findUnverified('1'))?.sharesUnverified, true);
  assert.equal(await ports.findUnverified('2'), null);
  // Another visit of the page that does, and says nothing yet.
  const waiting = ports.findUnverified('3');
  await turn();
  assert.equal(other.heard.length, 1);
  t.mock.timers.tick(UNVERIFIED_WAIT_MS);
  assert.equal(await waiting, null);
});
