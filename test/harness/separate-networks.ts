/**
 * Two networks that can't reach each other, and a server between them that both can:
 *
 *   A 10.90.1.2 --[veth]-- 10.90.1.1 server, 10.90.0.1 on lo, forwards nothing 10.90.2.1 --[veth]-- 10.90.2.2 B
 *
 * Nothing here touches the machine's own interfaces or routes.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { addNamespace, ip, removeNamespaces, setKernel } from './network-namespaces.ts';

/** Where the server is to be found from both. */
export const BETWEEN = '10.90.0.1';

/** Listens in a namespace and passes each connection on to a Unix socket: those are files, and reach across namespaces. */
const FORWARDER = `
  const net = require('node:net');
  const [port, path] = process.argv.slice(1);
  net.createServer((client) => {
    const server = net.connect(path);
    client.on('error', () => server.destroy()).on('close', () => server.destroy());
    server.on('error', () => client.destroy()).on('close', () => client.destroy());
    client.pipe(server).pipe(client);
  }).listen(Number(port), '${BETWEEN}', () => console.log('listening'));`;

export interface SeparateNetworks {
  /** Names of namespaces. */
  readonly server: string;
  readonly a: string;
  readonly b: string;
}

/** Why it can't be done here, in words; undefined: it can. @param commands that are needed, with their Debian packages */
export function cannotSeparate(commands: Readonly<Record<string, string>>): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'network namespaces need Linux and root';
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  const missing = Object.entries({ ip: 'iproute2', ...commands }).filter(
    ([name]) => !folders.some((folder) => existsSync(join(folder, name))),
  );
  if (missing.length > 0) return `not installed: ${missing.map(([, name]) => name).join(', ')}`;
  const probe = `${prefix()}probe`;
  try {
    addNamespace(probe);
    return undefined;
  } catch (error) {
    return `no network namespaces here (${error instanceof Error ? error.message : String(error)})`;
  } finally {
    removeNamespaces(probe);
  }
}

/** All of it ends with the test, or with this process. */
export function separateNetworks(t: TestContext): SeparateNetworks {
  const networks = { server: `${prefix()}server`, a: `${prefix()}a`, b: `${prefix()}b` };
  const janitor = hireJanitor();
  t.after(async () => {
    removeNamespaces(prefix());
    janitor.ref();
    const exit = once(janitor, 'exit');
    janitor.stdin?.end();
    await exit;
  });
  for (const name of Object.values(networks)) addNamespace(name);
  setKernel(networks.server, 'net/ipv4/ip_forward', 0);
  ip(`-n ${networks.server} addr add ${BETWEEN}/32 dev lo`);
  for (const [index, name] of [networks.a, networks.b].entries()) {
    const net = `10.90.${index + 1}`;
    ip(`link add e0 netns ${name} type veth peer name e${index} netns ${networks.server}`);
    ip(`-n ${networks.server} addr add ${net}.1/24 dev e${index}`);
    ip(`-n ${networks.server} link set e${index} up`);
    ip(`-n ${name} addr add ${net}.2/24 dev e0`);
    ip(`-n ${name} link set e0 up`);
    ip(`-n ${name} route add default via ${net}.1`);
  }
  return networks;
}

/** A command in a namespace; it ends with that. */
export const spawnIn = (namespace: string, name: string, args: readonly string[]): ChildProcess =>
  spawn('ip', ['netns', 'exec', namespace, name, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });

/** What comes to this port between the networks goes to a Unix socket. */
export async function forwardToSocket({ server }: SeparateNetworks, port: number, path: string): Promise<void> {
  const forwarder = spawnIn(server, process.execPath, ['-e', FORWARDER, String(port), path]);
  const [first] = (await Promise.race([once(forwarder.stdout!, 'data'), once(forwarder, 'exit')])) as [unknown];
  if (String(first).trim() !== 'listening') throw new Error(`The forwarder ended with ${String(first)}.`);
}

/** Unique among the runs of this machine. */
const prefix = (): string => `p2p${process.pid}-`;

/** For ends that run no hook. */
function hireJanitor(): ChildProcess {
  const script = fileURLToPath(new URL('namespace-janitor.ts', import.meta.url));
  const janitor = spawn(process.execPath, ['--import', 'tsx', script, prefix()], {
    stdio: ['pipe', 'ignore', 'inherit'],
    detached: true,
  });
  janitor.unref();
  return janitor;
}
