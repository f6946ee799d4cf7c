/** Viewers that can't reach each other share through a TURN server: issue D, D6. A real coturn stands between two networks. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { createServer as createP2PServer } from '../../server/create-server.ts';
import { expiringIce } from '../../server/ice.ts';
import { coturn, type Coturn } from '../harness/coturn.ts';
import { FIXTURE_MEDIA } from '../harness/serve.ts';
import { cannotSeparate, forwardToSocket, separateNetworks, BETWEEN } from '../harness/separate-networks.ts';
import { inNamespace } from '../harness/network-namespaces.ts';
import { until } from '../harness/until.ts';
import { PATIENT, person, type Person } from './support/person.ts';
import { KIT, mediaFolder } from './support/stage.ts';

const SECRET = 'what coturn and the server know';
const PORT = 8080;
const SITE = `http://${BETWEEN}:${PORT}`;
const TTL = 600;
const HOUR = 3_600_000;

const skip = cannotSeparate({ turnserver: 'coturn' }) ?? false;

interface Scene {
  readonly turn: Coturn;
  readonly a: Person;
  readonly b: Person;
  /** ICE candidates that the signaling server has passed on. */
  readonly candidates: () => string[];
}

interface SceneOptions {
  /** Of the page's mesh. */
  readonly mesh?: string;
  /** That the signaling server makes credentials with. */
  readonly secret?: string;
  /** Milliseconds that its clock is behind. */
  readonly behind?: number;
}

/** Both viewers have the page open; all of it ends with the test. */
async function scene(t: TestContext, { mesh = '', secret = SECRET, behind = 0 }: SceneOptions = {}): Promise<Scene> {
  const networks = separateNetworks(t);
  const folder = await mkdtemp(join(tmpdir(), 'p2p-turn-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const turn = await coturn(networks, SECRET, folder);
  t.after(() => turn.stop());
  const media = await mediaFolder(t, FIXTURE_MEDIA);
  const ice = { urls: [turn.url], secret: () => secret, ttl: TTL, now: () => Date.now() - behind };
  const server = createP2PServer({ port: 0, host: '127.0.0.1', media, iceServers: expiringIce([], ice) });
  t.after(() => server.close());
  await server.listen();
  const said = await tap(t, join(folder, 'site.sock'), Number(new URL(server.urls.local!).port));
  await forwardToSocket(networks, PORT, join(folder, 'site.sock'));
  const page = `<!doctype html>\n${KIT}\n${mesh}\n<p2p-img id="first" src="/media/animation.gif"></p2p-img>`;
  await writeFile(join(media, 'class.html'), page);
  const secure = `--unsafely-treat-insecure-origin-as-secure=${SITE}`; // as over HTTPS
  const viewer = async (namespace: string): Promise<Person> => {
    const viewer = await person(t, { namespace, args: [secure] });
    await viewer.goto(`${SITE}/media/class.html`);
    await viewer.imageShown('#first');
    await viewer.statsUntil('the server', ({ signaling }) => signaling === 'joined');
    return viewer;
  };
  const [a, b] = [await viewer(networks.a), await viewer(networks.b)];
  return { turn, a, b, candidates: () => said().match(/candidate:[^"\\]*/g) ?? [] };
}

/** Keeps what the server says to its clients; its frames are neither masked nor compressed. */
async function tap(t: TestContext, path: string, port: number): Promise<() => string> {
  const chunks: Buffer[] = [];
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    upstream.on('data', (chunk: Buffer) => chunks.push(chunk));
    client.on('error', () => upstream.destroy()).on('close', () => upstream.destroy());
    upstream.on('error', () => client.destroy()).on('close', () => client.destroy());
    client.pipe(upstream).pipe(client);
  }).listen(path);
  await once(server, 'listening');
  t.after(() => server.close());
  return () => Buffer.concat(chunks).toString('latin1');
}

/** Adds a picture to the page. @returns where it came from */
async function look(viewer: Person): Promise<string | null> {
  await viewer.page.evaluate(() => {
    const image = document.createElement('p2p-img');
    image.id = 'second';
    image.setAttribute('src', '/media/map.png');
    document.body.append(image);
  });
  return viewer.imageShown('#second');
}

async function assertShared({ turn, a, b }: Scene): Promise<void> {
  await Promise.all([a.connected(), b.connected()]);
  assert.equal(await look(a), 'origin');
  assert.equal(await look(b), 'peers');
  assert.match(turn.log(), /ALLOCATE processed, success/);
  assert.deepEqual([...a.warnings, ...b.warnings], []);
}

test('viewers in networks that can’t reach each other share through the TURN server', { skip }, async (t) => {
  const all = await scene(t);
  await assertShared(all);
  assert.ok(
    all.candidates().some((candidate) => candidate.includes(' typ host')),
    'they try the direct way, too',
  );
});

test('with ice-transport="relay" no candidate but the TURN server’s leaves the browser', { skip }, async (t) => {
  const all = await scene(t, { mesh: '<p2p-mesh ice-transport="relay"></p2p-mesh>' });
  await assertShared(all);
  const candidates = all.candidates();
  assert.ok(candidates.length >= 2, candidates.join('\n'));
  for (const candidate of candidates) {
    assert.match(candidate, / typ relay/);
    assert.doesNotMatch(candidate, /10\.90\.[12]\.|\.local/, 'nobody’s own address');
  }
});

for (const [what, options, refused] of [
  ['of another secret', { secret: 'what nobody else knows' }, /credentials are incorrect|Cannot find credentials/],
  ['that have expired', { behind: HOUR }, /Cannot find credentials/],
] as const)
  test(
    `credentials ${what} are refused by the TURN server, and the lesson comes from the origin`,
    { skip },
    async (t) => {
      const { turn, a, b } = await scene(t, options);
      await until('coturn’s refusal', () => refused.test(turn.log()), PATIENT);
      for (const viewer of [a, b]) assert.equal(await look(viewer), 'origin');
      assert.doesNotMatch(turn.log(), /ALLOCATE processed, success/);
      assert.deepEqual([(await a.stats()).peers, (await b.stats()).peers], [0, 0]);
      assert.deepEqual([...a.warnings, ...b.warnings], []);
    },
  );

test('the two networks can’t reach each other', { skip }, (t) => {
  const { a } = separateNetworks(t);
  const script = (address: string): string =>
    `require('node:net').connect(9,'${address}').setTimeout(3000,()=>process.exit()).on('error',(e)=>console.log(e.code))`;
  const reach = (address: string): string => inNamespace(a, `${process.execPath} -e ${script(address)}`).trim();
  assert.equal(reach(BETWEEN), 'ECONNREFUSED', 'what is between them is there');
  assert.notEqual(reach('10.90.2.2'), 'ECONNREFUSED', 'the other is not');
});
