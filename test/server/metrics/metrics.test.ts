import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { request } from 'node:http';
import type { Beacon } from '../../../protocol/beacon.ts';
import { addressList } from '../../../server/metrics/may-see-metrics.ts';
import { startRedis } from '../../harness/redis.ts';
import { origin } from '../digest-service/support.ts';
import { ask, bytes, connect, folderOf, joinSwarms, metric, run, until, vod, type Client } from '../support.ts';

const BEACON: Beacon = {
  bytes: { origin: 1000, peers: 2000, store: 3000, uploaded: 4000 },
  stalls: 2,
  stalled: 1500,
  firstFrames: [400],
  noMesh: null,
};

const say = (client: Client, beacon: object): Promise<{ ok: boolean }> => client.ask('beacon', beacon);

test('peers, swarms, sites, joins, signals and refusals are counted', async (t) => {
  const { url } = await run(t);
  const [a, b] = [await connect(t, url), await connect(t, url)];
  const { peer } = await joinSwarms(a, ['x', 'y']);
  await joinSwarms(b, ['x']);
  await b.ask('signal', { to: peer, signal: { kind: 'refuse', connection: 1 } });
  await b.ask('signal', { to: '0'.repeat(32), signal: { kind: 'refuse', connection: 1 } });
  await b.ask('leave', { swarms: 'all' });
  const expected = {
    p2p_peers: 2,
    p2p_sockets: 2,
    p2p_swarms: 2,
    p2p_sites: 1,
    p2p_mesh_on: 1,
    p2p_holdout_share: 0,
    'p2p_join_seconds_count{answer="mesh"}': 2,
    'p2p_signaling_events_total{event="relayed",reason=""}': 1,
    'p2p_refusals_total{reason="unknown-peer"}': 1,
    'p2p_refusals_total{reason="bad-message"}': 1,
    'p2p_refusals_total{reason="full"}': 0,
  };
  for (const [series, count] of Object.entries(expected)) assert.equal(await metric(url, series), count, series);
  await until('swarm news', async () => ((await metric(url, 'p2p_swarm_news_total')) ?? 0) > 0);
  a.socket.disconnect();
  await until('one peer is gone', async () => (await metric(url, 'p2p_peers')) === 1);
  assert.equal(await metric(url, 'p2p_swarms'), 1);
});

test('who finds no place is counted by what is full', async (t) => {
  const { url } = await run(t, { admission: { limits: { connections: 1 } } });
  await connect(t, url);
  await assert.rejects(connect(t, url));
  assert.equal(await metric(url, 'p2p_signaling_events_total{event="refusals",reason="connections"}'), 1);
});

test('responses are counted by class, hashing by files and bytes', async (t) => {
  const media = await folderOf(t, { 'a.bin': 'x'.repeat(5000) });
  const { url } = await run(t, { media });
  await ask(url, '/healthz');
  await ask(url, '/media/missing');
  await ask(url, '/healthz', {}, 'POST');
  await until('hashed', async () => (await metric(url, 'p2p_hashed_files_total')) === 1);
  assert.equal(await metric(url, 'p2p_hashed_bytes_total'), 5000);
  assert.equal(await metric(url, 'p2p_http_responses_total{class="4xx"}'), 2);
  assert.ok(((await metric(url, 'p2p_http_responses_total{class="2xx"}')) ?? 0) >= 2);
  assert.equal(await metric(url, 'p2p_http_under_way'), 1, 'the one that tells it');
  assert.ok((await metric(url, 'nodejs_eventloop_lag_p99_seconds')) !== undefined);
  assert.ok((await metric(url, 'process_cpu_seconds_total')) !== undefined);
});

async function held(t: TestContext, url: string, lot: number): Promise<Client> {
  const client = await connect(t, url);
  const reply = await client.ask('join', { version: 1, swarms: ['x'], lot });
  assert.ok(reply.ok, reply.message);
  return client;
}

test('beacons add up by group, and what they say is no label', async (t) => {
  const { url } = await run(t, { holdout: 0.01 });
  const [one, other] = [await held(t, url, 0), await held(t, url, 5000)];
  assert.deepEqual(await say(one, { ...BEACON, noMesh: 'holdout', group: 'mesh' }), { ok: true });
  assert.deepEqual(await say(other, BEACON), { ok: true });
  assert.deepEqual(await say(other, { ...BEACON, firstFrames: [], noMesh: 'alone' }), { ok: true });
  const expected = {
    'p2p_join_seconds_count{answer="holdout"}': 1,
    'p2p_client_beacons_total{group="holdout",mesh="holdout"}': 1,
    'p2p_client_beacons_total{group="mesh",mesh="connected"}': 1,
    'p2p_client_beacons_total{group="mesh",mesh="alone"}': 1,
    'p2p_client_beacons_total{group="mesh",mesh="unreachable"}': 0,
    'p2p_client_bytes_total{group="holdout",source="origin"}': 1000,
    'p2p_client_bytes_total{group="holdout",source="uploaded"}': 4000,
    'p2p_client_bytes_total{group="mesh",source="peers"}': 4000,
    'p2p_client_stalls_total{group="holdout"}': 2,
    'p2p_client_stalled_seconds_total{group="holdout"}': 1.5,
    'p2p_client_first_frame_seconds_count{group="holdout"}': 1,
    'p2p_client_first_frame_seconds_bucket{le="0.35",group="holdout"}': 0,
    'p2p_client_first_frame_seconds_bucket{le="0.5",group="holdout"}': 1,
    // the second came in the same moment, so it had no time to stall
    'p2p_client_beacons_clamped_total{group="mesh"}': 1,
  };
  for (const [series, count] of Object.entries(expected)) assert.equal(await metric(url, series), count, series);
  const before = (await ask(url, '/metrics')).text.match(/^p2p_client[^ ]*/gm);
  for (const noMesh of ['x', '__proto__', { a: 1 }]) assert.equal((await say(other, { ...BEACON, noMesh })).ok, false);
  assert.deepEqual((await ask(url, '/metrics')).text.match(/^p2p_client[^ ]*/gm), before);
});

test('a beacon of somebody who has not joined is refused, and so are too many', async (t) => {
  const { url } = await run(t);
  const client = await connect(t, url);
  assert.equal((await client.ask('beacon', BEACON)).code, 'not-joined');
  await joinSwarms(client, ['x']);
  const codes = await Promise.all(Array.from({ length: 8 }, async () => (await client.ask('beacon', BEACON)).code));
  assert.equal(codes.filter((code) => code === undefined).length, 4);
  assert.equal(codes.filter((code) => code === 'too-fast').length, 4);
  assert.ok(((await metric(url, 'p2p_client_bytes_total{group="mesh",source="origin"}')) ?? 0) <= 4000);
});

test('two servers in one process count by themselves', async (t) => {
  const [a, b] = [await run(t), await run(t)];
  await joinSwarms(await connect(t, a.url), ['x']);
  assert.equal(await metric(a.url, 'p2p_peers'), 1);
  assert.equal(await metric(b.url, 'p2p_peers'), 0);
  assert.equal(await metric(b.url, 'p2p_join_seconds_count{answer="mesh"}'), 0);
});

test('on its own port /metrics is there, and not on the public one', async (t) => {
  const { url, server } = await run(t, { metricsPort: 0 });
  const own = `http://127.0.0.1:${server.metricsPort}`;
  assert.match((await ask(own, '/metrics')).text, /^p2p_peers 0$/m);
  assert.match(String((await ask(own, '/metrics')).headers['content-type']), /^text\/plain; version=/);
  assert.equal((await ask(own, '/')).status, 404);
  assert.equal((await ask(own, '/metrics', {}, 'POST')).status, 404);
  assert.equal((await ask(url, '/metrics')).status, 404);
});

test('a metrics port that is taken is told, and nothing listens', async (t) => {
  const taken = await run(t);
  const port = Number(new URL(taken.url).port);
  await assert.rejects(run(t, { metricsPort: port }), /--metrics-port.*EADDRINUSE/);
});

test('on the public port who comes by a proxy finds no /metrics, and no page of another origin can read it', async (t) => {
  const { url } = await run(t);
  const direct = await ask(url, '/metrics', { origin: 'https://a.example' });
  assert.equal(direct.status, 200);
  assert.equal(direct.headers['access-control-allow-origin'], undefined);
  assert.equal((await ask(url, '/metrics', { 'x-forwarded-for': '127.0.0.1' })).status, 404);
});

test('an address in the list sees /metrics by way of the network', async (t) => {
  const list = addressList(['127.0.0.2']);
  assert.ok(list);
  const { url } = await run(t, { metricsAllow: list, host: '127.0.0.1' });
  const status = await new Promise((resolve, reject) =>
    request(`${url}/metrics`, { localAddress: '127.0.0.2', headers: { via: '1.1 proxy' }, agent: false }, (answer) =>
      resolve(answer.resume().statusCode),
    )
      .on('error', reject)
      .end(),
  );
  assert.equal(status, 200);
});

test('Redis: whether it is there, and how long it takes', async (t) => {
  const redis = await startRedis(t);
  const { url } = await run(t, { redis: redis.url });
  await until('Redis is there', async () => (await metric(url, 'p2p_redis_up')) === 1);
  await joinSwarms(await connect(t, url), ['x']);
  assert.ok(((await metric(url, 'p2p_redis_seconds_count')) ?? 0) > 2);
  await redis.stop();
  await until('Redis is away', async () => (await metric(url, 'p2p_redis_up')) === 0);
  await until('failures', async () => ((await metric(url, 'p2p_redis_failures_total')) ?? 0) > 0);
});

test('the digest service: what it hashed, and what it knows', async (t) => {
  const made = await origin(t, { '/vod.m3u8': vod(2), '/s0.ts': bytes(10), '/s1.ts': bytes(70_000) });
  const { url } = await run(t, { digestService: { origins: [made.url], allowsPrivate: true } });
  const hashed = 'p2p_digest_service_assets_total{outcome="hashed"}';
  assert.equal(await metric(url, hashed), 0);
  await ask(url, `/p2p/digests?playlist=${encodeURIComponent(`${made.url}/vod.m3u8`)}`);
  await until('both are hashed', async () => (await metric(url, hashed)) === 2);
  assert.equal(await metric(url, 'p2p_digest_service_playlists'), 1);
  assert.equal(await metric(url, 'p2p_digest_service_waiting'), 0);
});
