/**
 * Two nodes and a Redis: what a signal costs where both peers are at one node, and where they are not, CPU of both nodes and of Redis; and how long it
 * takes at 500 a second. Beside one node without Redis, and beside a bare socket.io relay with its own adapters. Medians of alternating runs.
 *
 * npm run bench -- signaling-nodes [peers] [runs]
 */
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { freePort } from '../test/harness/free-port.ts';
import { until } from '../test/harness/until.ts';
import { Fleet, type Reach } from './signaling/fleet.ts';
import { ServerProcess } from './signaling/server-process.ts';
import { SYSTEMS, type System } from './signaling/systems.ts';
import { medianOrNaN } from './statistics.ts';

const [peers = 2000, runs = 3] = process.argv.slice(2).map(Number);
const SIGNALS = 20_000;
/** Signals a second, and for how long, ms, of which the time on the way is measured. */
const MURMUR = 500;
const MURMUR_MS = 10_000;
const SWARM = 'https://video.example/lesson/index.m3u8';

const [ours, relay] = SYSTEMS as readonly [System, System, ...System[]];

interface Case {
  readonly name: string;
  readonly system: System;
  readonly nodes: number;
  readonly env: Readonly<Record<string, string>>;
}

const CASES: readonly Case[] = [
  { name: 'p2p-elements, one node', system: ours, nodes: 1, env: {} },
  { name: 'p2p-elements, two nodes', system: ours, nodes: 2, env: {} },
  { name: 'socket.io, one node', system: relay, nodes: 1, env: {} },
  { name: 'socket.io, sharded adapter', system: relay, nodes: 2, env: { BENCH_ADAPTER: 'sharded' } },
  { name: 'socket.io, streams adapter', system: relay, nodes: 2, env: { BENCH_ADAPTER: 'streams' } },
];

/** CPU of a signal in microseconds, in all, and milliseconds on the way that 99 of 100 did not exceed. */
interface Figures {
  here?: number;
  elsewhere?: number;
  p99?: number;
  missing?: number;
}

const cores = availableParallelism();
if (cores > 1) execFileSync('taskset', ['-acp', String(cores - 1), String(process.pid)], { stdio: 'ignore' });
const figures = new Map<string, Figures[]>(CASES.map(({ name }) => [name, []]));
for (let run = 0; run < runs; run++)
  for (const each of run % 2 === 0 ? CASES : [...CASES].reverse()) {
    const seen = await measure(each);
    figures.get(each.name)?.push(seen);
    console.error(`run ${run + 1}, ${each.name}: ${JSON.stringify(seen)}`);
  }
const median = (name: string, what: keyof Figures): string =>
  medianOrNaN((figures.get(name) ?? []).flatMap((one) => one[what] ?? [])).toFixed(1);
console.log('| | CPU, same node, µs | CPU, other node, µs | p99 at 500/s, ms |\n| - | - | - | - |');
for (const { name } of CASES)
  console.log(`| ${name} | ${median(name, 'here')} | ${median(name, 'elsewhere')} | ${median(name, 'p99')} |`);

async function measure({ system, nodes, env }: Case): Promise<Figures> {
  const port = await freePort();
  const redis =
    nodes === 1
      ? undefined
      : spawn('taskset', ['-c', '0', 'redis-server', '--port', String(port), '--save', '', '--appendonly', 'no'], {
          stdio: 'ignore',
        });
  const redisEnv = redis ? { ...env, BENCH_REDIS: `redis://127.0.0.1:${port}` } : env;
  const servers: ServerProcess[] = [];
  try {
    for (let i = 0; i < nodes; i++)
      servers.push(new ServerProcess(system, cores > 1 ? 0 : undefined, undefined, redisEnv));
    await Promise.all(servers.map((server) => server.listening()));
    const fleet = new Fleet(
      system,
      servers.map((server) => server.port),
    );
    await fleet.open(peers);
    await fleet.join(fleet.peers, SWARM);
    const pids = [...servers.map(({ pid }) => pid), ...(redis?.pid === undefined ? [] : [redis.pid])];
    const cost = async (reach: Reach): Promise<number> => {
      await fleet.exchange(fleet.peers, SIGNALS / 2, true, reach); // compiled, and where peers are is known
      const before = cpuOf(pids);
      await fleet.exchange(fleet.peers, SIGNALS, true, reach);
      return (cpuOf(pids) - before) / SIGNALS;
    };
    const seen: Figures = { here: await cost('here') };
    if (nodes > 1) seen.elsewhere = await cost('elsewhere');
    const tally = await fleet.murmur(fleet.peers, MURMUR, MURMUR_MS, nodes > 1 ? 'elsewhere' : 'here');
    seen.p99 = tally.latency(0.99) ?? NaN;
    seen.missing = tally.missing + tally.surplus;
    fleet.destroy();
    return seen;
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
    redis?.kill('SIGKILL');
    await until('Redis is gone', () => redis === undefined || redis.exitCode !== null || redis.signalCode !== null);
  }
}

/** User and system time so far, microseconds (proc(5): ticks of 10 ms). */
function cpuOf(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks * 10_000;
}
