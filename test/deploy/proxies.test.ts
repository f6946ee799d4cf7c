import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { request, type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import test, { type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { noCaddy, startCaddy } from '../harness/caddy.ts';
import { NODE_HEADER, noNginx, startNginx } from '../harness/nginx.ts';
import { ROOT, serve } from '../harness/serve.ts';
import { WebSocket } from 'ws';
import { until } from '../harness/until.ts';
import { selfSigned } from '../harness/certificate.ts';
import { deployed } from './support.ts';

const run = promisify(execFile);
const nginx = spawnSync('nginx', ['-v']).status === 0 ? 'nginx' : '/usr/sbin/nginx';

test('nginx takes the configuration as it is, but for the names of others', { skip: noNginx ?? false }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'p2p-nginx-'));
  t.after(() => rm(folder, { recursive: true }));
  const { cert, key } = selfSigned(folder, 'p2p.example');
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
  'what a node refuses is no failure of the node to nginx: heads that are too long, and connections that are too many',
  { skip: noNginx ?? false },
  async (t) => {
    const flags = ['--trust-proxy', '1', '--max-connections', '2'];
    const nodes = [await serve({ flags }), await serve({ flags })] as const;
    for (const node of nodes) t.after(() => node.kill());
    const { port, url } = await startNginx(t, [nodes[0].port, nodes[1].port]);
    const node = async (): Promise<string | null> => (await fetch(`${url}/healthz`)).headers.get(NODE_HEADER);
    const first = await node();
    // nginx takes 8 KB in one line, and more of them than a node does
    const long = Object.fromEntries(Array.from({ length: 3 }, (_, index) => [`x-long-${index}`, 'x'.repeat(7000)]));
    for (let i = 0; i < 12; i++) assert.equal((await fetch(`${url}/healthz`, { headers: long })).status, 431);
    assert.equal(await node(), first);
    await Promise.all([open(t, `ws://127.0.0.1:${port}`), open(t, `ws://127.0.0.1:${port}`)]);
    await open(t, `ws://127.0.0.1:${port}`);
    for (let i = 0; i < 12; i++)
      await assert.rejects(open(t, `ws://127.0.0.1:${port}`), /Unexpected server response: 429/);
    assert.equal(await node(), first);
  },
);

test('nginx takes newcomers of a node that drains to the other one', { skip: noNginx ?? false }, async (t) => {
  const flags = ['--trust-proxy', '1', '--drain-seconds', '600'];
  const nodes = [await serve({ flags }), await serve({ flags })] as const;
  for (const node of nodes) t.after(() => node.kill('SIGKILL'));
  const { port, url } = await startNginx(t, [nodes[0].port, nodes[1].port]);
  const { headers } = await fetch(`${url}/healthz`);
  const drained = nodes.find((node) => headers.get(NODE_HEADER) === `127.0.0.1:${node.port}`);
  assert.ok(drained, 'nginx says which node it is');
  // somebody has to be there, or the drain is over at once
  const stays = await open(t, `ws://127.0.0.1:${drained.port}`);
  void drained.kill('SIGTERM');
  await until('it drains', async () => (await fetch(`${drained.url}/readyz`)).status === 503);
  const other = nodes.find((node) => node !== drained);
  // nginx says whom it asked, one after the other
  assert.match(String((await open(t, `ws://127.0.0.1:${port}`)).headers[NODE_HEADER]), new RegExp(`:${other?.port}$`));
  assert.equal((await fetch(`${url}/p2p/signal/?EIO=4&transport=polling`)).status, 200);
  assert.equal(stays.socket.readyState, WebSocket.OPEN);
});

/** A WebSocket to the signaling, and the head of the answer to its handshake. */
async function open(t: TestContext, origin: string): Promise<{ socket: WebSocket; headers: IncomingHttpHeaders }> {
  const socket = new WebSocket(`${origin}/p2p/signal/?EIO=4&transport=websocket`);
  t.after(() => socket.terminate());
  const opened = once(socket, 'open');
  const [[{ headers }]] = (await Promise.all([once(socket, 'upgrade'), opened])) as [[IncomingMessage], unknown];
  // a server lets go of whoever does not join
  socket.on('message', (text: Buffer) => text.toString() === '2' && socket.send('3'));
  return { socket, headers };
}

test('Caddy takes the configuration as it is', { skip: noCaddy ?? false }, async () => {
  const file = `${ROOT}deploy/caddy/Caddyfile`;
  const env = { ...process.env, DOMAIN: 'p2p.example', XDG_DATA_HOME: tmpdir(), XDG_CONFIG_HOME: tmpdir() };
  await run('caddy', ['validate', '--adapter', 'caddyfile', '--config', file], { env });
});

test(
  'by Caddy come files and signaling, all of an address from one node, but no metrics',
  { skip: noCaddy ?? false },
  async (t) => {
    const flags = ['--trust-proxy', '1'];
    const nodes = [await serve({ flags }), await serve({ flags })] as const;
    for (const node of nodes) t.after(() => node.kill('SIGKILL'));
    const { url } = await startCaddy(t, [nodes[0].port, nodes[1].port]);
    assert.equal((await fetch(`${url}/metrics`)).status, 404);
    const { status, headers } = await fetch(`${url}/media/map.png`);
    assert.equal(status, 200);
    assert.match(headers.get('strict-transport-security') ?? '', /^max-age=\d+$/);
    // A node knows the sessions that it opened, and no others.
    for (let i = 1; i <= 12; i++) {
      const path = '/p2p/signal/?EIO=4&transport=polling';
      const from = { localAddress: `127.0.0.${i}` };
      const { sid } = JSON.parse((await textOf(request(url + path, from))).slice(1)) as { sid: string };
      const connects = request(`${url}${path}&sid=${sid}`, { ...from, method: 'POST' });
      assert.equal(await textOf(connects, '40'), 'ok', from.localAddress);
    }
    const opened = await Promise.all(nodes.map(async (node) => (await fetch(`${node.url}/metrics`)).text()));
    for (const text of opened) assert.match(text, /^p2p_sockets [1-9]/m, 'both have some');
  },
);

async function textOf(request: ClientRequest, body = ''): Promise<string> {
  const [response] = (await once(request.end(body), 'response')) as [IncomingMessage];
  return text(response);
}
