/** The classroom's network namespaces, and what runs in them. */
import { readFileSync } from 'node:fs';
import { processesIn, removeNamespaces, unlessGone } from '../../test/harness/network-namespaces.ts';

export {
  addNamespace,
  command,
  inNamespace,
  ip,
  killAll,
  processesIn,
  setKernel,
} from '../../test/harness/network-namespaces.ts';

/** All our namespaces begin so; teardown removes what does. */
const PREFIX = 'classroom-';

export const ORIGIN = `${PREFIX}origin`;
export const ROUTER = `${PREFIX}router`;
export const viewerNamespace = (number: number): string => `${PREFIX}v${number}`;

/** Ends every process in our namespaces and removes them. Synchronous, for an exit handler. */
export const teardown = (): void => removeNamespaces(PREFIX);

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
