import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { forgetProcess, noteProcess } from './leftovers.ts';
import type { Owner } from './owner.ts';
import { ROOT } from './serve.ts';
import { until } from './until.ts';

/** Debian has it where only root looks. */
const NGINX = spawnSync('nginx', ['-v']).status === 0 ? 'nginx' : '/usr/sbin/nginx';

/** Why there is no nginx to test with; undefined: there is one. */
export const noNginx: string | undefined =
  spawnSync(NGINX, ['-v']).status === 0 ? undefined : 'nginx is not installed (on Debian: apt install nginx)';

export interface Nginx {
  /** Where it listens: the loopback addresses, without TLS. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
}

/** Says which node it was. */
export const NODE_HEADER = 'x-node';

/** A real nginx by `deploy/nginx.conf`, on a free port and without TLS, before these nodes. It ends with its owner. */
export async function startNginx(t: Owner, nodes: readonly [number, number]): Promise<Nginx> {
  const folder = await mkdtemp(join(tmpdir(), 'p2p-nginx-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await chmod(folder, 0o777); // its workers are nobody
  const port = await freePort();
  await writeFile(join(folder, 'nginx.conf'), placed(await readFile(`${ROOT}deploy/nginx.conf`, 'utf8'), port, nodes));
  const args = ['-p', folder, '-c', 'nginx.conf', '-e', 'error.log', '-g', `daemon off; pid ${folder}/pid;`];
  const child: ChildProcess = spawn(NGINX, args, { stdio: 'ignore' });
  if (child.pid !== undefined) noteProcess(child.pid, 'nginx');
  t.after(async () => {
    if (child.pid === undefined) return;
    const exit = once(child, 'exit');
    if (child.kill('SIGTERM')) await exit; // false: it has ended by itself
    forgetProcess(child.pid);
  });
  await until(`nginx on port ${port}`, () => accepts(port));
  return { port, url: `http://127.0.0.1:${port}`, pid: child.pid ?? 0 };
}

/** The configuration with a port and nodes of this machine. */
function placed(text: string, port: number, nodes: readonly [number, number]): string {
  const steps: [RegExp, string][] = [
    [/node1:8080/, `127.0.0.1:${nodes[0]}`],
    [/node2:8080/, `127.0.0.1:${nodes[1]}`],
    [/ {2}server \{\n {4}listen 80;[^}]*\}\n/, ''],
    [/listen 443 ssl/, `listen ${port}`],
    [/listen \[::\]:443 .*;/, ''],
    [/ssl_certificate .*;/, ''],
    [/ssl_certificate_key .*;/, ''],
    [/(?<=\n)( *)(?=add_header )/, `$1add_header ${NODE_HEADER} $upstream_addr always;\n$1`],
  ];
  return steps.reduce((before, [pattern, by]) => {
    if (!pattern.test(before)) throw new Error(`deploy/nginx.conf has no ${String(pattern)} any more.`);
    return before.replace(pattern, by);
  }, text);
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
