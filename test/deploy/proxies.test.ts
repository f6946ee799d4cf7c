import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { noNginx, startNginx } from '../harness/nginx.ts';
import { ROOT, serve } from '../harness/serve.ts';
import { deployed } from './support.ts';

const run = promisify(execFile);
const has = (command: string): boolean => spawnSync(command, ['version']).status === 0;
const nginx = spawnSync('nginx', ['-v']).status === 0 ? 'nginx' : '/usr/sbin/nginx';

test('nginx takes the configuration as it is, but for the names of others', { skip: noNginx ?? false }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'p2p-nginx-'));
  t.after(() => rm(folder, { recursive: true }));
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  await run('openssl', [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-subj',
    '/CN=p2p.example',
    '-keyout',
    key,
    '-out',
    cert,
  ]);
  const text = (await deployed('nginx.conf'))
    .replaceAll(/node[12]:/g, '127.0.0.1:')
    .replace('/etc/ssl/p2p-elements/cert.pem', cert)
    .replace('/etc/ssl/p2p-elements/key.pem', key);
  assert.match(text, /listen \[::\]:443 ssl/, 'viewers with IPv6 come, too');
  const file = join(folder, 'nginx.conf');
  await writeFile(file, text);
  await run(nginx, ['-t', '-q', '-c', file, '-e', 'stderr', '-g', `pid ${folder}/pid;`]);
});

test('by nginx come files and signaling, but no metrics', { skip: noNginx ?? false }, async (t) => {
  const nodes = [
    await serve({ flags: ['--trust-proxy', '1'] }),
    await serve({ flags: ['--trust-proxy', '1'] }),
  ] as const;
  for (const node of nodes) t.after(() => node.kill());
  const { url } = await startNginx(t, [nodes[0].port, nodes[1].port]);
  for (const path of ['/media/map.png', '/p2p/signal/?EIO=4&transport=polling'])
    assert.equal((await fetch(url + path)).status, 200, path);
  const { status, headers } = await fetch(`${url}/metrics`);
  assert.equal(status, 403);
  assert.match(headers.get('strict-transport-security') ?? '', /^max-age=\d+$/);
});

test(
  'Caddy takes its configuration',
  { skip: !has('caddy') && 'caddy is not installed (on Debian: apt install caddy)' },
  async () => {
    const file = `${ROOT}deploy/caddy/Caddyfile`;
    const env = { ...process.env, DOMAIN: 'p2p.example', XDG_DATA_HOME: tmpdir(), XDG_CONFIG_HOME: tmpdir() };
    await run('caddy', ['validate', '--adapter', 'caddyfile', '--config', file], { env });
  },
);
