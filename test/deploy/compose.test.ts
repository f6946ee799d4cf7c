import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { parse } from 'yaml';
import { noRedis, startRedis } from '../harness/redis.ts';
import { FIXTURE_MEDIA, ROOT, serve } from '../harness/serve.ts';
import { until } from '../harness/until.ts';
import type { JoinReply } from '../../protocol/signaling.ts';
import { connect, joinSwarms } from '../server/support.ts';
import { deployed, exampleConfig, unknownFlags, unknownVariables } from './support.ts';

interface Service {
  readonly image?: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly secrets?: readonly string[];
  readonly networks?: readonly string[];
  readonly depends_on?: readonly string[];
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly healthcheck?: object;
  readonly stop_grace_period?: string;
  readonly ports?: readonly string[];
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean } | null>>;
  readonly volumes: object;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

const compose = async (): Promise<Compose> => parse(await deployed('compose.yaml'), { merge: true }) as Compose;

const nodesOf = ({ services }: Compose): [string, Service][] =>
  Object.entries(services).filter(([, { image }]) => image === 'p2p-elements');

test('every service is hardened, and somebody looks whether it lives', async () => {
  const all = await compose();
  assert.deepEqual(Object.keys(all.services), ['node1', 'node2', 'redis', 'caddy', 'coturn']);
  for (const [name, service] of Object.entries(all.services)) {
    assert.equal(service.read_only, true, name);
    assert.deepEqual(service.cap_drop, ['ALL'], name);
    assert.deepEqual(service.security_opt, ['no-new-privileges:true'], name);
    // the nodes' is in their image
    assert.ok(service.healthcheck ?? service.build, name);
  }
});

test('files, networks, volumes, secrets and services that it names are there', async () => {
  const all = await compose();
  for (const [name, service] of Object.entries(all.services)) {
    const { build, volumes = [], secrets = [], networks = [], depends_on = [] } = service;
    if (build) assert.ok(existsSync(join(ROOT, 'deploy', build.context, build.dockerfile)), build.dockerfile);
    for (const volume of volumes) {
      const [source = ''] = volume.replace(/\$\{\w+:-([^}]*)\}/, '$1').split(':');
      assert.ok(source.startsWith('.') ? existsSync(join(ROOT, 'deploy', source)) : source in all.volumes, volume);
    }
    for (const secret of secrets) assert.ok(secret in all.secrets, secret);
    for (const network of networks) assert.ok(network in all.networks, network);
    for (const other of depends_on) assert.ok(other in all.services, `${name} depends on ${other}`);
  }
  const head = (await deployed('compose.yaml')).split('\nname:')[0]!;
  for (const { file } of Object.values(all.secrets))
    assert.ok(head.includes(file.replace(/^\.\//, '')), `who makes ${file}?`);
  for (const text of [await deployed('caddy/Caddyfile'), await deployed('nginx.conf')])
    for (const [name] of nodesOf(all))
      assert.ok(text.includes(`${name}:${String((await exampleConfig())['port'])}`), name);
});

test('nobody reaches Redis but the nodes, and the nodes only by the proxy', async () => {
  const all = await compose();
  assert.equal(all.networks['back']?.internal, true);
  const on = (network: string) =>
    Object.keys(all.services).filter((name) => all.services[name]?.networks?.includes(network));
  assert.deepEqual(on('back'), ['node1', 'node2', 'redis']);
  assert.deepEqual(all.services['redis']?.networks, ['back']);
  for (const [name, { ports = [] }] of Object.entries(all.services))
    if (name !== 'caddy') for (const port of ports) assert.match(port, /^127\.0\.0\.1:\d+:9090$/, name);
});

test('flags and variables of the nodes are those of serve, and there is time to drain', async () => {
  const drain = Number((await exampleConfig())['drain-seconds']);
  for (const [name, { command = [], environment = {}, stop_grace_period = '0s' }] of nodesOf(await compose())) {
    assert.equal(command[0], 'serve');
    assert.deepEqual(unknownFlags(command), [], name);
    assert.deepEqual(unknownVariables(Object.keys(environment)), [], name);
    assert.ok(parseInt(stop_grace_period, 10) > drain, name);
  }
});

test(
  'two servers start by the file and the variables of the nodes, and their viewers meet by Redis',
  { skip: noRedis ?? false },
  async (t) => {
    const redis = await startRedis(t);
    const folder = await mkdtemp(join(tmpdir(), 'p2p-compose-'));
    t.after(() => rm(folder, { recursive: true }));
    const secret = join(folder, 'turn-secret');
    await writeFile(secret, '0123456789abcdef0123456789abcdef\n');
    const nodes = nodesOf(await compose());
    assert.equal(nodes.length, 2);
    const urls: string[] = [];
    for (const [name, { command = [], environment = {} }] of nodes) {
      const env = Object.fromEntries(
        Object.entries(environment).map(([variable, value]) => [
          variable,
          value
            .replace(/\$\{DOMAIN[^}]*\}/g, 'p2p.example')
            .replace('redis://redis:6379', redis.url)
            .replace('/run/secrets/turn-secret', secret)
            .replace(/^\/media$/, FIXTURE_MEDIA)
            .replace('0.0.0.0', '127.0.0.1'),
        ]),
      );
      assert.ok(!Object.values(env).some((value) => value.includes('$')), JSON.stringify(env));
      const flags = command.slice(1).map((word) => word.replace('/etc/p2p-elements', `${ROOT}deploy/etc`));
      const server = await serve({ flags: [...flags, '--metrics-port', '0'], env });
      t.after(() => server.kill());
      urls.push(server.url);
      await until(`${name} is ready`, async () => (await fetch(`${server.url}/readyz`)).ok);
      const ice = (await (
        await fetch(`${server.url}/p2p/ice`, { headers: { origin: 'https://p2p.example' } })
      ).json()) as { iceServers: { urls: string[] }[] };
      assert.deepEqual(
        ice.iceServers.flatMap(({ urls }) => urls),
        ['stun:p2p.example:3478', 'turn:p2p.example:3478?transport=udp', 'turn:p2p.example:3478?transport=tcp'],
      );
    }
    const replies: JoinReply[] = [];
    for (const url of urls) {
      const client = await connect(t, url, undefined, { extraHeaders: { origin: 'https://p2p.example' } });
      replies.push(await joinSwarms(client, ['lesson']));
    }
    const [first, second] = replies;
    assert.deepEqual(second?.swarms[0]?.members, [first?.peer]);
  },
);
