/** Network namespaces and the processes in them (ip-netns(8)). Needs Linux and root. Synchronous throughout: an exit handler uses it. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readlinkSync, statSync } from 'node:fs';

const NAMED = '/run/netns';

/** Runs one command. @throws with what it said */
export function command(name: string, ...args: string[]): string {
  try {
    return execFileSync(name, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error);
    throw new Error(`${[name, ...args].join(' ')}: ${said}`, { cause: error });
  }
}

/** `ip` with arguments that hold no spaces themselves. */
export const ip = (line: string): string => command('ip', ...line.split(' '));

export const inNamespace = (namespace: string, line: string): string => ip(`netns exec ${namespace} ${line}`);

/** Sets a kernel parameter, named by its path below /proc/sys. */
export const setKernel = (namespace: string, parameter: string, value: string | number): void =>
  void command('ip', 'netns', 'exec', namespace, 'sh', '-c', `echo "${value}" > /proc/sys/${parameter}`);

export function addNamespace(name: string): void {
  ip(`netns add ${name}`);
  setKernel(name, 'net/ipv6/conf/all/disable_ipv6', 1);
  ip(`-n ${name} link set lo up`);
}

/** Namespace → pids of the processes in it. */
export function processesIn(namespaces: readonly string[]): Map<string, number[]> {
  const byInode = new Map<string, number[]>();
  const found = new Map<string, number[]>();
  for (const name of namespaces) {
    const inode = unlessGone(() => statSync(`${NAMED}/${name}`).ino);
    const pids: number[] = [];
    found.set(name, pids);
    if (inode !== undefined) byInode.set(`net:[${inode}]`, pids);
  }
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const namespace = unlessGone(() => readlinkSync(`/proc/${entry}/ns/net`));
    if (namespace !== undefined) byInode.get(namespace)?.push(Number(entry));
  }
  return found;
}

/** SIGKILL for every process in a namespace. */
export function killAll(namespace: string): void {
  for (const pid of processesIn([namespace]).get(namespace) ?? []) unlessGone(() => process.kill(pid, 'SIGKILL'));
}

/** Ends every process in the namespaces whose names begin so, and removes them. */
export function removeNamespaces(prefix: string): void {
  const names = (unlessGone(() => readdirSync(NAMED)) ?? []).filter((name) => name.startsWith(prefix));
  const isBusy = (): boolean => [...processesIn(names).values()].some((pids) => pids.length > 0);
  for (let attempt = 0; attempt < 50 && isBusy(); attempt++) {
    names.forEach(killAll);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20); // dying takes a moment, and an exit handler can't await
  }
  for (const name of names) unlessGone(() => ip(`netns del ${name}`));
}

/** Processes and namespaces come and go while we look. */
export function unlessGone<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
