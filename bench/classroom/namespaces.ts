/** Network namespaces and the processes in them. Synchronous throughout: an exit handler uses it. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';

/** All our namespaces begin so; teardown removes what does. */
const PREFIX = 'classroom-';
const NAMED = '/run/netns';

export const ORIGIN = `${PREFIX}origin`;
export const ROUTER = `${PREFIX}router`;
export const viewerNamespace = (number: number): string => `${PREFIX}v${number}`;

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

/** SIGKILL for every process in a namespace of ours. */
export function killAll(namespace: string): void {
  for (const pid of processesIn([namespace]).get(namespace) ?? []) unlessGone(() => process.kill(pid, 'SIGKILL'));
}

/** Ends every process in our namespaces and removes them. */
export function teardown(): void {
  const names = (unlessGone(() => readdirSync(NAMED)) ?? []).filter((name) => name.startsWith(PREFIX));
  const isBusy = (): boolean => [...processesIn(names).values()].some((pids) => pids.length > 0);
  for (let attempt = 0; attempt < 50 && isBusy(); attempt++) {
    names.forEach(killAll);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20); // dying takes a moment, and an exit handler can't await
  }
  for (const name of names) unlessGone(() => ip(`netns del ${name}`));
}

/** CPU seconds used by all processes ever seen in a namespace, those that have ended included. */
export class CpuMeter {
  readonly #namespaces: readonly string[];
  /** Namespace → `pid:start time` → seconds. */
  readonly #seen = new Map<string, Map<string, number>>();

  constructor(namespaces: readonly string[]) {
    this.#namespaces = namespaces;
  }

  /** Namespace → seconds since the processes began. */
  read(): Map<string, number> {
    for (const [namespace, pids] of processesIn(this.#namespaces)) {
      const seen = this.#seen.get(namespace) ?? new Map<string, number>();
      this.#seen.set(namespace, seen);
      for (const pid of pids) {
        // after the name in brackets, which may hold anything: state is 0, utime 11, stime 12, starttime 19 (proc(5))
        const fields = unlessGone(() =>
          readFileSync(`/proc/${pid}/stat`, 'utf8')
            .replace(/^.*\) /s, '')
            .split(' '),
        );
        if (fields !== undefined) seen.set(`${pid}:${fields[19]}`, (Number(fields[11]) + Number(fields[12])) / 100);
      }
    }
    return new Map([...this.#seen].map(([name, seen]) => [name, [...seen.values()].reduce((a, b) => a + b, 0)]));
  }
}

/** Busy and total CPU seconds of the machine, all cores together. */
export function machineCpu(): { readonly busy: number; readonly total: number } {
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, soft = 0, steal = 0] = line
    .trim()
    .split(/\s+/)
    .slice(1)
    .map((ticks) => Number(ticks) / 100);
  const busy = user + nice + system + irq + soft + steal;
  return { busy, total: busy + idle + wait };
}

/** Processes and namespaces come and go while we look. */
function unlessGone<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
