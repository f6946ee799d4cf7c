import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { forgetProcess, noteProcess } from './leftovers.ts';
import type { Owner } from './owner.ts';
import { ROOT } from './serve.ts';
import { until } from './until.ts';

/** Why there is no Caddy to test with; undefined: there is one. */
export const noCaddy: string | undefined =
  spawnSync('caddy', ['version']).status === 0 ? undefined : 'caddy is not installed (on Debian: apt install caddy)';

/** A real Caddy by `deploy/caddy/Caddyfile`, on a free port and without TLS, before these nodes. It ends with its owner. */
export async function startCaddy(t: Owner, nodes: readonly [number, number]): Promise<{ readonly url: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'p2p-caddy-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const text = await readFile(`${ROOT}deploy/caddy/Caddyfile`, 'utf8');
  const names = 'node1:8080 node2:8080';
  if (!text.includes(names)) throw new Error(`the Caddyfile has no ${names}`);
  // without its administration, for which there is one port
  const placed = `{\n\tadmin off\n}\n${text.replace(names, nodes.map((port) => `127.0.0.1:${port}`).join(' '))}`;
  const file = join(folder, 'Caddyfile');
  await writeFile(file, placed);
  const url = `http://127.0.0.1:${await freePort()}`;
  const child = spawn('caddy', ['run', '--adapter', 'caddyfile', '--config', file], {
    env: { ...process.env, DOMAIN: url, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
    stdio: 'ignore',
  });
  if (child.pid !== undefined) noteProcess(child.pid, 'caddy');
  t.after(async () => {
    if (child.pid === undefined) return;
    const exit = once(child, 'exit');
    if (child.kill('SIGTERM')) await exit; // false: it has ended by itself
    forgetProcess(child.pid);
  });
  await until(`Caddy at ${url}`, async () => (await fetch(`${url}/healthz`)).ok);
  return { url };
}
