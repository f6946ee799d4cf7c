import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { get as httpsGet } from 'node:https';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { PROTOCOL_VERSION } from '../../protocol/limits.ts';
import { parseManifest } from '../../protocol/manifest.ts';
import { SIGNAL_BURST } from '../../server/admission/limits.ts';
import { packageRoot } from '../../server/package-root.ts';
import { selfSigned } from '../harness/certificate.ts';
import { ask, bytes, connect, folderOf, joinSwarms, until } from './support.ts';

/** Variables of flags for whoever operates it. */
const OPERATION = [
  'CONFIG',
  'MESH',
  'HOLDOUT',
  'METRICS_PORT',
  'METRICS_HOST',
  'METRICS_ALLOW',
  'DRAIN_SECONDS',
  'HSTS',
  'LOG_ADDRESSES',
].map((name) => `P2P_${name}`);

/** Runs the command as a user does, with no variables of ours but these. */
function cli(t: TestContext, args: string[], env: Record<string, string> = {}) {
  const clean = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !name.startsWith('P2P_') && name !== 'DEBUG' && name !== 'NODE_TEST_CONTEXT',
    ),
  );
  const child = spawn(process.execPath, ['dist/cli.js', ...args], {
    cwd: packageRoot(),
    env: { ...clean, ...env },
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  t.after(() => child.kill('SIGKILL'));
  const end = async () => ({ code: await ended, ...output });
  const url = (): Promise<string> =>
    until('it prints its address', () => /https?:\/\/(localhost|127\.0\.0\.1):\d+/.exec(output.stdout)?.[0]);
  return { child, output, end, url };
}

test('serve prints its addresses, serves what it says, and without draining ends with 0 on SIGTERM within 2 s, open connections or not', async (t) => {
  const media = await folderOf(t, { 'a.png': 'hello', 'film.mp4': bytes(20_000_000) });
  const running = cli(t, ['serve', '--port', '0', '--media', media, '--drain-seconds', '0']);
  const url = (await running.url()).replace('localhost', '127.0.0.1');
  assert.match(running.output.stdout, /on this machine {2}http:\/\/localhost:\d+/);
  assert.ok(running.output.stdout.includes(media));
  assert.equal((await ask(url, '/media/a.png')).text, 'hello');
  const client = await connect(t, url);
  await joinSwarms(client, ['x']);
  const slow = await fetch(`${url}/media/film.mp4`); // never read to the end
  const startedAt = Date.now();
  running.child.kill('SIGTERM');
  const { code, stderr } = await running.end();
  assert.equal(code, 0);
  assert.ok(Date.now() - startedAt < 2000, `${Date.now() - startedAt} ms`);
  for (const line of stderr.trim().split('\n')) assert.ok(JSON.parse(line), 'logs are JSON lines on stderr');
  await slow.body?.cancel().catch(() => undefined);
});

test('SIGINT ends it just so, and a free port is taken again at once', async (t) => {
  const media = await folderOf(t);
  const first = cli(t, ['serve', '--port', '0', '--host', '127.0.0.1', '--media', media]);
  const { port } = new URL(await first.url());
  first.child.kill('SIGINT');
  assert.equal((await first.end()).code, 0);
  const second = cli(t, ['serve', '--port', port, '--host', '127.0.0.1', '--media', media]);
  assert.equal(new URL(await second.url()).port, port);
});

test('a taken port is one clear line and exit code 1', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.after(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  const { code, stderr, stdout } = await cli(t, [
    'serve',
    '--port',
    String(port),
    '--host',
    '127.0.0.1',
    '--media',
    await folderOf(t),
  ]).end();
  assert.deepEqual([code, stdout], [1, '']);
  assert.equal(
    stderr,
    `error: Port ${port} is taken by another program. Stop that one, or choose another port: --port ${port + 1}\n`,
  );
});

test('wrong flags are one clear line each and exit code 2', async (t) => {
  const media = await folderOf(t, {
    'key.pem': 'no key',
    'cert.pem': 'no certificate',
    'sites.txt': 'north 203.0.113.0/24',
  });
  const cases: [string[], RegExp][] = [
    [['--port', 'eighty'], /--port.*Expected a port from 0 to 65535/],
    [['--turn', 'turn:turn.example'], /--turn-secret-file, or with --turn-username and --turn-credential together/],
    [['--turn', 'turn:a', '--turn-secret-file', join(media, 'key.pem')], /--turn-secret-file one line of at least 16/],
    [['--turn-ttl', '10'], /--turn-ttl.*from 60 to 86400/],
    [['--log-level', 'loud'], /--log-level.*Allowed choices/],
    [['--trust-proxy', 'yes'], /--trust-proxy.*Expected a number or CIDR blocks/],
    [['--sites', join(media, 'sites.txt')], /line 1 of .*sites\.txt, but "north" is no address/],
    [['--site-ipv6-prefix', '129'], /--site-ipv6-prefix.*from 16 to 128/],
    [['--media', join(media, 'missing')], /Expected a folder to serve at \/media\/.*does not exist.*--media DIR/],
    [['--media', join(media, 'key.pem')], /Expected a folder.*is none/],
    [['--tls-cert', join(media, 'cert.pem')], /--tls-cert and --tls-key together/],
    [
      ['--tls-cert', join(media, 'cert.pem'), '--tls-key', join(media, 'missing.pem')],
      /--tls-key.*can't be read \(ENOENT\)/,
    ],
    [
      ['--media', media, '--tls-cert', join(media, 'cert.pem'), '--tls-key', join(media, 'key.pem')],
      /certificate and its private key in PEM form/,
    ],
    [['--prot', '80'], /unknown option '--prot'/],
    [['--mesh', 'maybe'], /--mesh.*Expected on or off/],
    [['--holdout', '101%'], /--holdout.*Expected a share/],
    [['--drain-seconds', 'long'], /--drain-seconds.*Expected seconds/],
    [['--metrics-allow', 'localhost'], /--metrics-allow.*Expected addresses or prefixes/],
    [['--metrics-host', '0.0.0.0'], /Expected --metrics-port with --metrics-host/],
    [['--metrics-port', '0', '--metrics-allow', '10.0.0.0/8'], /Expected --metrics-allow without --metrics-port/],
    [['--redis', 'redis:6379:1'], /Expected the URL of a Redis server/],
    [['--hsts', '600'], /--tls-cert and --tls-key with --hsts/],
    [['--config', join(media, 'key.pem')], /--config.*is no JSON/],
  ];
  // two at a time: each is a process
  for (let i = 0; i < cases.length; i += 2) {
    await Promise.all(
      cases.slice(i, i + 2).map(async ([flags, expected]) => {
        const { code, stderr } = await cli(t, ['serve', ...flags]).end();
        assert.equal(code, 2, `${flags.join(' ')}: ${stderr}`);
        assert.match(stderr, expected);
        assert.ok(stderr.trim().split('\n').length <= 2 && !stderr.includes('    at '), stderr); // commander adds "Did you mean"
      }),
    );
  }
});

test('limits and the key set of the command line count', async (t) => {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const key = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' };
  const folder = await folderOf(t, { 'keys.json': JSON.stringify({ keys: [key] }) });
  const flags = ['--auth-jwks', join(folder, 'keys.json'), '--max-connections', '1', '--max-signals', '0.1'];
  const running = cli(t, ['serve', '--port', '0', '--media', folder, ...flags]);
  const url = (await running.url()).replace('localhost', '127.0.0.1');
  const client = await connect(t, url);
  const request = { version: PROTOCOL_VERSION, swarms: ['x'] };
  assert.equal((await client.ask('join', request)).code, 'unauthorized');
  const token = await new SignJWT({ swarms: ['*'] })
    .setProtectedHeader({ alg: 'ES256', kid: 'one' })
    .setSubject('anna')
    .setExpirationTime('1h')
    .sign(privateKey);
  assert.equal((await client.ask('join', { ...request, token })).ok, true);
  await assert.rejects(connect(t, url), /full/);
  const signal = { to: '0'.repeat(32), signal: { kind: 'refuse', connection: 1 } };
  const answers = await Promise.all(Array.from({ length: SIGNAL_BURST + 1 }, () => client.ask('signal', signal)));
  assert.equal(answers.at(-1)?.code, 'too-fast');
});

test('each flag has an environment variable; flags win over it; wrong values name it', async (t) => {
  const media = await folderOf(t, { 'a.png': 'x' });
  const sites = await folderOf(t, { 'sites.txt': '203.0.113.0/24 campus\n' });
  const env = {
    P2P_PORT: '0',
    P2P_HOST: '127.0.0.1',
    P2P_MEDIA: media,
    P2P_CORS: 'https://a.example',
    P2P_STUN: 'stun:a stun:b',
    P2P_TURN: 'turn:c',
    P2P_TURN_USERNAME: 'u',
    P2P_TURN_CREDENTIAL: 'p',
    P2P_LOG_LEVEL: 'silent',
    P2P_TRUST_PROXY: '1',
    P2P_SITES: join(sites, 'sites.txt'),
    P2P_SITE_IPV6_PREFIX: '48',
  };
  const running = cli(t, ['serve', '--stun', 'stun:flag'], env);
  const url = await running.url();
  assert.ok(url.startsWith('http://127.0.0.1:'));
  assert.deepEqual(JSON.parse((await ask(url, '/p2p/ice')).text), {
    iceServers: [{ urls: ['stun:flag'] }, { urls: ['turn:c'], username: 'u', credential: 'p' }],
  });
  assert.equal(
    (await ask(url, '/media/a.png', { origin: 'https://a.example' })).headers['access-control-allow-origin'],
    'https://a.example',
  );
  const from = async (address: string) =>
    joinSwarms(await connect(t, url, '', { extraHeaders: { 'x-forwarded-for': address } }), ['x']);
  const [first, second] = [await from('203.0.113.1'), await from('203.0.113.2')];
  assert.deepEqual(second.swarms[0]?.members, [first.peer], 'of one site by the file');
  assert.equal(running.output.stderr, '');
  const wrong = await cli(t, ['serve'], { P2P_PORT: 'eighty' }).end();
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /P2P_PORT/);
  const help = await cli(t, ['serve', '--help']).end();
  assert.equal(help.code, 0);
  for (const name of [
    ...Object.keys(env),
    'P2P_TLS_CERT',
    'P2P_TLS_KEY',
    'P2P_TURN_SECRET_FILE',
    'P2P_TURN_TTL',
    ...OPERATION,
  ])
    assert.ok(help.stdout.includes(name), name);
});

test('with a certificate it serves HTTPS', async (t) => {
  const folder = await folderOf(t);
  const { cert, key } = selfSigned(folder);
  const running = cli(t, ['serve', '--port', '0', '--media', folder, '--tls-cert', cert, '--tls-key', key]);
  const url = await running.url();
  assert.ok(url.startsWith('https://'));
  assert.ok(!running.output.stdout.includes('no service worker'));
  const status = await new Promise((resolve, reject) =>
    httpsGet(`${url}/healthz`, { rejectUnauthorized: false, agent: false }, (response) =>
      resolve(response.resume().statusCode),
    ).on('error', reject),
  );
  assert.equal(status, 200);
});

test('help and version go to stdout with 0; no command at all is wrong use', async (t) => {
  const [help, version, none, unknown] = await Promise.all(
    [['--help'], ['--version'], [], ['sreve']].map((args) => cli(t, args).end()),
  );
  assert.equal(help?.code, 0);
  assert.match(help.stdout, /serve[\s\S]*manifest/);
  assert.equal(version?.code, 0);
  assert.match(version.stdout, /^\d+\.\d+\.\d+/);
  assert.equal(none?.code, 2);
  assert.equal(unknown?.code, 2);
  assert.match(unknown.stderr, /unknown command 'sreve'/);
});

test('manifest writes a manifest that the kit reads, and says so; a wrong folder is exit code 2', async (t) => {
  const folder = await folderOf(t, { 'a.png': 'hello' });
  const { code, stdout } = await cli(t, ['manifest', folder]).end();
  assert.equal(code, 0);
  assert.equal(stdout.trim().split('\n').length, 2);
  const manifest = parseManifest(JSON.parse(await readFile(join(folder, 'p2p-manifest.json'), 'utf8')));
  assert.deepEqual(Object.keys(manifest.assets), ['a.png']);
  const wrong = await cli(t, ['manifest', join(folder, 'missing')]).end();
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /^error: Expected a folder.*\n$/);
});
