import assert from 'node:assert/strict';
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { freePort } from '../harness/free-port.ts';
import { forgetProcess, noteProcess } from '../harness/leftovers.ts';
import { until } from '../harness/until.ts';
import type { IceGrant } from '../../protocol/signaling.ts';
import { expiringIce } from '../../server/ice.ts';
import { ask, run as serverOf } from '../server/support.ts';
import { deployed } from './support.ts';

const run = promisify(execFile);
const skip =
  spawnSync('turnutils_uclient', ['-h']).error !== undefined &&
  'coturn is not installed (on Debian: apt install coturn)';
const SECRET = '0123456789abcdef0123456789abcdef';

test('coturn starts as compose starts it, answers, and relays to nothing of its own machine', { skip }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'p2p-coturn-'));
  t.after(() => rm(folder, { recursive: true }));
  const port = await freePort();
  const file = join(folder, 'given.conf');
  const given = await deployed('turnserver.conf');
  await writeFile(
    file,
    `${given.replaceAll('/tmp/', `${folder}/`).replace('listening-port=3478', `listening-port=${port}`)}listening-ip=127.0.0.1\nrelay-ip=127.0.0.1\n`,
  );
  await writeFile(join(folder, 'turn-secret'), `${SECRET}\n`);
  const { services } = parse(await deployed('compose.yaml'), { merge: true }) as {
    services: { coturn: { entrypoint: [string, string, string]; healthcheck: { test: [string, string] } } };
  };
  const [shell, option, script] = services.coturn.entrypoint;
  const placed = script
    .replaceAll('$$', '$')
    .replaceAll('/tmp/', `${folder}/`)
    .replaceAll('/etc/turnserver.conf', file)
    .replaceAll('/run/secrets', folder);
  const child = spawn(shell, [option, placed], { stdio: ['ignore', 'pipe', 'pipe'] });
  if (child.pid !== undefined) noteProcess(child.pid, 'turnserver');
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (log += text.toString()));
  const exited = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGTERM');
    await exited;
    if (child.pid !== undefined) forgetProcess(child.pid);
  });
  const check = services.coturn.healthcheck.test[1].replace('3478', String(port));
  await until('coturn answers', async () => {
    if (child.exitCode !== null) throw new Error(log);
    return run('sh', ['-c', check]).then(
      () => true,
      () => false,
    );
  });
  assert.doesNotMatch(log, /bad configuration|unknown|CONFIG ERROR/i);
  const relay = async (peer: string, as: readonly string[] = ['-W', SECRET]): Promise<string> => {
    const args = ['5', 'turnutils_uclient', ...as, '-p', String(port), '-e', peer, '-n', '1', '-m', '1', '-c'];
    const { stdout, stderr } = await run('timeout', [...args, '127.0.0.1']).catch(
      (error: unknown) => error as { stdout: string; stderr: string },
    );
    return stdout + stderr;
  };
  for (const peer of ['10.1.2.3', '172.16.0.1', '192.168.1.1', '100.64.0.1', '169.254.169.254', '127.0.0.1'])
    assert.match(await relay(peer), /403 \(Forbidden IP\)/, peer);
  const abroad = await relay('203.0.113.1');
  assert.doesNotMatch(abroad, /error/, 'it relays');
  assert.match(abroad, /start_mclient|Total/i);
  assert.match(await relay('203.0.113.1', ['-W', 'another secret than that one']), /error/i, 'not for everybody');
  const turn = { urls: [`turn:127.0.0.1:${port}`], secret: () => SECRET, ttl: 600 };
  const server = await serverOf(t, { iceServers: expiringIce([], turn) });
  const { iceServers } = JSON.parse((await ask(server.url, '/p2p/ice')).text) as IceGrant;
  const { username = '', credential = '' } = iceServers[0] ?? {};
  assert.doesNotMatch(await relay('203.0.113.1', ['-u', username, '-w', credential]), /error/, 'what /p2p/ice gives');
  assert.match(await relay('203.0.113.1', ['-u', username, '-w', `${credential}x`]), /error/i);
});
