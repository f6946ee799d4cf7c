/** The command as whoever operates it uses it: signals, reloads, draining. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { connect as tlsConnect } from 'node:tls';
import { packageRoot } from '../../../server/package-root.ts';
import { selfSigned } from '../../harness/certificate.ts';
import { ask, connect, folderOf, joinSwarms, until } from '../support.ts';

/** Milliseconds for a process that compiles the server on a busy machine. */
const PATIENCE = 60_000;

interface Serving {
  readonly url: string;
  readonly log: () => Record<string, unknown>[];
  readonly signal: (signal: NodeJS.Signals) => void;
  readonly ended: Promise<number | null>;
}

async function serve(t: TestContext, args: readonly string[]): Promise<Serving> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(P2P_|NODE_TEST|DEBUG)/.test(name)));
  const flags = ['--port', '0', '--host', '127.0.0.1', ...args];
  const child = spawn(process.execPath, ['dist/cli.js', 'serve', ...flags], {
    cwd: packageRoot(),
    env,
  });
  t.after(() => child.kill('SIGKILL'));
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  const url = await until(
    'it prints its address',
    () => {
      if (child.exitCode !== null) throw new Error(output.stderr);
      return /https?:\/\/127\.0\.0\.1:\d+/.exec(output.stdout)?.[0];
    },
    PATIENCE,
  );
  const log = () =>
    output.stderr.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Record<string, unknown>]));
  return { url, log, ended, signal: (signal) => void child.kill(signal) };
}

const says = (serving: Serving, message: string, count = 1) =>
  until(`the log says "${message}"`, () => serving.log().filter(({ msg }) => msg === message)[count - 1], PATIENCE);

test('SIGTERM sends viewers away over the time, says that it is not ready, and ends when nobody is left', async (t) => {
  const serving = await serve(t, ['--drain-seconds', '2', '--media', await folderOf(t)]);
  const clients = await Promise.all(Array.from({ length: 6 }, () => connect(t, serving.url)));
  const gone: number[] = [];
  for (const client of clients) {
    await joinSwarms(client, ['x']);
    client.socket.once('disconnect', () => gone.push(performance.now()));
  }
  serving.signal('SIGTERM');
  await until('not ready', async () => (await ask(serving.url, '/readyz')).status === 503);
  assert.equal(await serving.ended, 0);
  await until('all are gone', () => gone.length === 6);
  assert.ok(gone[5]! - gone[0]! > 1000, 'over the time');
});

test('SIGTERM with nobody there, SIGINT, and a second SIGTERM end it at once', async (t) => {
  const media = await folderOf(t);
  const idle = await serve(t, ['--drain-seconds', '600', '--media', media]);
  idle.signal('SIGTERM');
  assert.equal(await idle.ended, 0);
  for (const signals of [['SIGINT'], ['SIGTERM', 'SIGTERM']] as const) {
    const busy = await serve(t, ['--drain-seconds', '600', '--media', media]);
    for (let i = 0; i < 3; i++) await joinSwarms(await connect(t, busy.url), ['x']);
    for (const [index, signal] of signals.entries()) {
      if (index > 0) await until('not ready', async () => (await ask(busy.url, '/readyz')).status === 503);
      busy.signal(signal);
    }
    const startedAt = performance.now();
    assert.equal(await busy.ended, 0);
    assert.ok(performance.now() - startedAt < 20_000, signals.join());
  }
});

test('SIGHUP reads the file again: switch, holdout and log level count at once, others are told, a broken file changes nothing', async (t) => {
  const folder = await folderOf(t);
  const file = join(folder, 'config.json');
  const write = (config: object) => writeFile(file, JSON.stringify({ media: folder, 'drain-seconds': 0, ...config }));
  await write({});
  const serving = await serve(t, ['--config', file]);
  const client = await connect(t, serving.url);
  const { resume } = await joinSwarms(client, ['x']);
  await write({ mesh: 'off', 'log-level': 'debug', cors: 'https://a.example' });
  const renewed = once(client.socket as never, 'disconnect');
  serving.signal('SIGHUP');
  await says(serving, 'reloaded');
  assert.deepEqual((await says(serving, 'these flags count from the next start on'))['flags'], ['--cors']);
  await renewed; // so that it hears of the switch
  const back = await connect(t, serving.url);
  assert.equal((await back.ask('join', { version: 1, swarms: ['x'], resume })).off, 'switched-off');
  assert.match((await ask(serving.url, '/metrics')).text, /^p2p_mesh_on 0$/m);
  await says(serving, 'answered'); // of debug level

  await writeFile(file, '{ "mesh": "on", "holdout": "many" }');
  serving.signal('SIGHUP');
  const { reason } = await says(serving, 'not reloaded: all stays as it was');
  assert.match(String(reason), /"holdout" is not understood/);
  assert.match((await ask(serving.url, '/metrics')).text, /^p2p_mesh_on 0$/m);

  await write({ holdout: 0.25 });
  serving.signal('SIGHUP');
  await says(serving, 'reloaded', 2);
  const { text } = await ask(serving.url, '/metrics');
  assert.match(text, /^p2p_mesh_on 1$/m);
  assert.match(text, /^p2p_holdout_share 0.25$/m);
});

/** The name in the certificate that the server shows to a new connection. */
const nameShown = (url: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = tlsConnect({ port: Number(new URL(url).port), host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.on('error', reject);
  });

test('SIGHUP takes a new certificate for new connections; a broken one leaves the old one', async (t) => {
  const folder = await folderOf(t);
  selfSigned(folder, 'first.example');
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const serving = await serve(t, ['--media', folder, '--tls-cert', cert, '--tls-key', key, '--hsts', '600']);
  assert.equal(await nameShown(serving.url), 'first.example');
  selfSigned(folder, 'second.example');
  serving.signal('SIGHUP');
  await says(serving, 'reloaded');
  assert.equal(await nameShown(serving.url), 'second.example');
  await writeFile(cert, 'no certificate');
  serving.signal('SIGHUP');
  await says(serving, 'not reloaded: all stays as it was');
  assert.equal(await nameShown(serving.url), 'second.example');
});

test('refusals are in the log, addresses only where they may be', async (t) => {
  const media = await folderOf(t);
  for (const flags of [[], ['--log-addresses', '--log-level', 'debug']]) {
    const serving = await serve(t, ['--media', media, '--drain-seconds', '0', ...flags]);
    const client = await connect(t, serving.url);
    await client.ask('leave', { swarms: 'all' });
    const { reason, address } = await says(serving, 'refused');
    assert.equal(reason, 'bad-message');
    assert.equal(address, flags.length > 0 ? '127.0.0.1' : undefined);
    if (flags.length > 0) {
      await ask(serving.url, '/healthz');
      const line = await says(serving, 'answered');
      assert.equal(line['address'], '127.0.0.1');
      assert.match(String(line['request']), /^[0-9a-f]{12}$/);
    } else assert.ok(!JSON.stringify(serving.log()).includes('"address"'));
  }
});
