/** One server, or two nodes of it with a Redis and, if asked for, nginx before them: all on the first core, the generator has the last. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { startNginx } from '../../test/harness/nginx.ts';
import { startRedis } from '../../test/harness/redis.ts';
import { ServerProcess } from './server-process.ts';
import type { System } from './systems.ts';

export interface NodesOptions {
  readonly system: System;
  readonly count: 1 | 2;
  readonly isBehindNginx: boolean;
  /** Of the servers, beyond what the system has. */
  readonly env: Readonly<Record<string, string>>;
  /** Where all of it runs; undefined: wherever there is room. */
  readonly core: number | undefined;
}

export class Nodes {
  /** Where peers connect, see Fleet. */
  readonly ports: readonly number[];
  readonly servers: readonly ServerProcess[];
  readonly #redis: number | undefined;
  readonly #ends: (() => unknown)[];

  private constructor(
    ports: readonly number[],
    servers: readonly ServerProcess[],
    redis: number | undefined,
    ends: (() => unknown)[],
  ) {
    this.ports = ports;
    this.servers = servers;
    this.#redis = redis;
    this.#ends = ends;
  }

  /** Resolves when they listen, and are ready. */
  static async start({ system, count, isBehindNginx, env, core }: NodesOptions): Promise<Nodes> {
    const ends: (() => unknown)[] = [];
    const owner = { after: (end: () => unknown) => void ends.unshift(end) };
    const redis = count === 1 ? undefined : await startRedis(owner);
    if (redis?.pid !== undefined) pin(redis.pid, core);
    const servers = Array.from(
      { length: count },
      () =>
        new ServerProcess(system, core, undefined, {
          ...env,
          ...(redis && { BENCH_REDIS: redis.url }),
          ...(isBehindNginx && { BENCH_PROXY: '1' }),
        }),
    );
    for (const server of servers) owner.after(() => server.stop());
    await Promise.all(servers.map((server) => server.listening()));
    const ports = servers.map(({ port }) => port);
    const [left = 0, right = 0] = ports;
    const nginx = isBehindNginx ? await startNginx(owner, [left, right]) : undefined;
    if (nginx) pin(nginx.pid, core);
    return new Nodes(nginx ? [nginx.port] : ports, servers, redis?.pid, ends);
  }

  /** User and system time of the servers and of Redis so far, microseconds. */
  cpu(): number {
    const pids = [...this.servers.map(({ pid }) => pid), ...(this.#redis === undefined ? [] : [this.#redis])];
    return pids.reduce((all, pid) => all + cpuOf(pid), 0);
  }

  async stop(): Promise<void> {
    for (const end of this.#ends) await end();
  }
}

/** In ticks of 10 ms (proc(5)). */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

/** Moves a process and its children to a core. */
function pin(pid: number, core: number | undefined): void {
  if (core === undefined) return;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  for (const each of [pid, ...children])
    execFileSync('taskset', ['-acp', String(core), String(each)], { stdio: 'ignore' });
}
