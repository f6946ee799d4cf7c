import { readFileSync } from 'node:fs';
import { until } from '../../test/harness/until.ts';
import { Fleet } from './fleet.ts';
import type { ServerProcess } from './server-process.ts';
import type { System } from './systems.ts';

/** What became of connections that were all begun at once. */
export interface Burst {
  /** Refused, reset or not let in within the time. */
  readonly failed: number;
  /** Milliseconds until the last one that was let in could join. */
  readonly lastAfter: number;
  /** How often the kernel had no room for a connection, which the client's kernel then tries again a second later. Of the whole machine. Linux only. */
  readonly overflows: number | undefined;
}

/** Milliseconds in which the last one should be there, on whatever machine. */
const PATIENCE_MS = 60_000;

export async function burst(system: System, server: ServerProcess, count: number): Promise<Burst> {
  const fleet = new Fleet(system, [server.port]);
  const before = listenOverflows();
  const start = performance.now();
  let ready = 0;
  let lastAfter = 0;
  for (let index = 0; index < count; index++)
    void fleet.begin().ready.then(() => {
      ready++;
      lastAfter = performance.now() - start;
    });
  await until('all are let in or refused', () => ready + fleet.losses === count, { timeout: PATIENCE_MS }).catch(
    () => undefined,
  );
  const after = listenOverflows();
  fleet.destroy();
  return {
    failed: count - ready,
    lastAfter,
    overflows: before === undefined || after === undefined ? undefined : after - before,
  };
}

/** TcpExt ListenOverflows of /proc/net/netstat: a line of names, a line of values. */
function listenOverflows(): number | undefined {
  try {
    const [names = [], values = []] = readFileSync('/proc/net/netstat', 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('TcpExt:'))
      .map((line) => line.split(' '));
    return Number(values[names.indexOf('ListenOverflows')]);
  } catch {
    return undefined;
  }
}
