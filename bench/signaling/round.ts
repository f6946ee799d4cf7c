/** One round of one system: a fresh server, filled to the last peer, measured, half of it dropped. Gives the figures of the table. */
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../../test/harness/until.ts';
import { medianOrNaN, sum } from '../statistics.ts';
import { burst, type Burst } from './burst.ts';
import { Fleet } from './fleet.ts';
import type { RowName, SignalingBenchOptions } from './options.ts';
import type { Peer } from './peer.ts';
import { ServerProcess } from './server-process.ts';
import type { System } from './systems.ts';

/**
 * Figures of one round; what was not asked for is missing. CPU is that of the server's process, in microseconds, without the pings that fell into the
 * same time.
 */
export interface Round {
  /** Bytes for each idle peer that has joined: of the process, and of what lives in it. Of a fresh server, whose heap has no room yet. */
  rss?: number;
  live?: number;
  /** CPU for a connection, until the peer may join. */
  connect?: number;
  /** CPU for a join, from its message to its answer, with what else falls into that time: the mean of a full house, of several the median. */
  join?: number;
  /** The same with all news of it to the others, which come in their own time: the slower the machine, the more of them. */
  joinWithNews?: number;
  /** What a join costs when nearly all peers are in the swarm, in costs of one when 100 are: measured in turns, the median of those within each. */
  joinGrowth?: number;
  /** CPU in a second in which nothing happens, and for each ping in it. */
  idle?: number;
  ping?: number;
  /** CPU for a signal that the server answers, as the kit's clients ask it to, and for one that it does not. */
  signalAnswered?: number;
  signal?: number;
  /** CPU for each peer that is dropped, with all news of it. */
  drop?: number;
  /** Signals between survivors that did not come, or came more than once. */
  dropLost?: number;
  burst?: Burst;
}

const SWARM = 'https://video.example/lesson/index.m3u8';
/** Joins are measured in spans of so many. */
const SPAN = 100;
/** Spans of each full house, at most, that tell what a join costs in a small and in a large swarm. */
const SPANS = 20;
/** Full houses, one after the other, whose joins are measured: of one, a single collection of garbage may be a quarter. */
const HOUSES = 3;
/**
 * Times that peers come and go before anything is measured. V8 compiles what a join runs through after thousands of them: of houses of 6,000 the first
 * costs half more than the fourth with our server, and a quarter more with socket.io's.
 */
const WARM_UP_WAVES = 6;
/** Signals between survivors, for each second. */
const MURMUR = 500;
/** They begin so long before the drop, and go on for so long after it and its news. */
const LEAD_MS = 1000;
const SPARE_MS = 5000;
/** Times that half of all are dropped, for one figure. */
const DROPS = 3;
/** The next ping comes when all is over. */
const WITHOUT_PINGS = { BENCH_PING_MS: '3600000' } as const;

/** @param core of the server */
export async function runRound(
  system: System,
  options: SignalingBenchOptions,
  core: number | undefined,
): Promise<Round> {
  const round: Round = {};
  const isAsked = (row: RowName): boolean => options.only.includes(row);
  const withFresh = (work: (server: ServerProcess) => Promise<unknown>, env = {}): Promise<void> =>
    withServer(system, options, core, env, work);
  if (isAsked('base') || isAsked('signal')) await withFresh((server) => fill(system, server, options, round));
  if (isAsked('drop'))
    await withFresh(async (server) => Object.assign(round, await drop(system, server, options)), WITHOUT_PINGS);
  if (isAsked('memory')) await withFresh(async (server) => Object.assign(round, await memory(system, server, options)));
  if (isAsked('burst')) await withFresh(async (server) => (round.burst = await burst(system, server, options.burst)));
  return round;
}

async function withServer(
  system: System,
  { profiles }: SignalingBenchOptions,
  core: number | undefined,
  env: Readonly<Record<string, string>>,
  work: (server: ServerProcess) => Promise<unknown>,
): Promise<void> {
  const server = new ServerProcess(system, core, profiles, env);
  try {
    await server.listening();
    await work(server);
  } finally {
    await server.stop();
  }
}

async function fill(
  system: System,
  server: ServerProcess,
  options: SignalingBenchOptions,
  round: Round,
): Promise<void> {
  const signals = signalsOf(system, options);
  await warmUp(system, server, options);
  const fleet = new Fleet(system, [server.port]);
  const spent = stopwatch(server, fleet);
  const houses: House[] = [];
  for (let house = 0; house < HOUSES; house++) {
    fleet.destroy();
    await emptied(server, 0);
    houses.push(await fillHouse(fleet, server, options, spent));
  }
  const idle = await spent(() => delay(options.idleMs));
  const ping = idle.pings === 0 ? 0 : idle.cpu / idle.pings;
  round.idle = (1000 * idle.cpu) / idle.milliseconds;
  if (idle.pings > 0) round.ping = ping;
  const medianOf = (cost: (house: House) => number): number => medianOrNaN(houses.map(cost));
  round.connect = medianOf(({ connects }) => each(connects, fleet.peers.length, ping));
  round.join = medianOf(({ joins }) => sum(joins.map((span) => each(span, SPAN, ping))) / joins.length);
  round.joinWithNews = medianOf(({ most, withNews }) => each(withNews, most, ping));
  round.joinGrowth = medianOrNaN(
    houses.flatMap(({ turns }) => turns.map(({ small, large }) => each(large, SPAN, ping) / each(small, SPAN, ping))),
  );
  if (options.only.includes('signal')) {
    const exchanged = async (answer: boolean): Promise<number> =>
      each(await spent(() => fleet.exchange(fleet.peers, signals, answer)), signals, ping);
    round.signal = await exchanged(false);
    round.signalAnswered = await exchanged(true);
  }
  finish(system, fleet);
}

/** What it cost to fill a server with peers who all join one swarm. */
interface House {
  readonly connects: Spent;
  /** Of each SPAN of joins. */
  readonly joins: readonly Spent[];
  /** All joins but those in turns, how many they are, with all news of them. */
  readonly most: number;
  readonly withNews: Spent;
  readonly turns: readonly Turn[];
}

/** What a SPAN of joins cost, to a swarm of so many and to one of nearly all. */
interface Turn {
  readonly small: Spent;
  readonly large: Spent;
}

async function fillHouse(
  fleet: Fleet,
  server: ServerProcess,
  { peers, newsMs }: SignalingBenchOptions,
  spent: Stopwatch,
): Promise<House> {
  const connects = await spent(() => fleet.open(peers));
  const end = SPAN * Math.min(SPANS, Math.floor(peers / SPAN / 2));
  const [most, last] = [fleet.peers.slice(0, -end), fleet.peers.slice(-end)];
  let spans: readonly Spent[] = [];
  const withNews = await spent(async () => {
    spans = await joinAll(fleet, most, spent);
    await delay(newsMs);
  });
  const turns = await joinInTurns(fleet, last, server, spent);
  return {
    connects,
    joins: [...spans, ...turns.map(({ large }) => large)],
    most: most.length,
    withNews,
    turns,
  };
}

function finish({ name }: System, fleet: Fleet): void {
  if (fleet.losses > 0 || fleet.refused > 0)
    throw new Error(`${name} ended ${JSON.stringify([...fleet.lost])}, refused ${fleet.refused} signals.`);
  fleet.destroy();
}

/** What a peer adds to a server that had none: everything it ever needed is in it, also what V8 does not give back. */
async function memory(
  system: System,
  server: ServerProcess,
  { peers, newsMs }: SignalingBenchOptions,
): Promise<Pick<Round, 'rss' | 'live'>> {
  const before = await server.memory();
  const fleet = new Fleet(system, [server.port]);
  await fleet.open(peers);
  await fleet.join(fleet.peers, SWARM);
  await delay(newsMs);
  const after = await server.memory();
  fleet.destroy();
  return { rss: (after.rss - before.rss) / peers, live: (after.live - before.live) / peers };
}

/** What is measured should be compiled, and the first growth of the heap is nobody's. */
async function warmUp(system: System, server: ServerProcess, options: SignalingBenchOptions): Promise<void> {
  const { warmUp } = options;
  const signals = Math.min(signalsOf(system, options), 2 * warmUp);
  for (let wave = 0; wave < WARM_UP_WAVES; wave++) {
    const fleet = new Fleet(system, [server.port]);
    await fleet.open(warmUp);
    await fleet.join(fleet.peers, `warm-up ${wave}`);
    for (const answer of [true, false]) await fleet.exchange(fleet.peers, signals, answer);
    fleet.destroy();
    await emptied(server, 0);
  }
}

const signalsOf = ({ signalShare }: System, { signals }: SignalingBenchOptions): number =>
  Math.ceil(signals * signalShare);

/** All join one swarm. @returns what each SPAN of them cost, without the first, which is the swarm that the next join */
async function joinAll(fleet: Fleet, peers: readonly Peer[], spent: Stopwatch): Promise<Spent[]> {
  const spans: Spent[] = [];
  for (let from = 0; from < peers.length; from += SPAN)
    spans.push(await spent(() => fleet.join(peers.slice(from, from + SPAN), SWARM)));
  return spans.slice(1);
}

/**
 * The last peers join the one swarm, a SPAN at a time, in turns with as many others who join swarms of SPAN peers, and go when all is over: the machine is
 * another from one second to the next.
 */
async function joinInTurns(
  fleet: Fleet,
  last: readonly Peer[],
  server: ServerProcess,
  spent: Stopwatch,
): Promise<Turn[]> {
  const { length } = fleet.peers;
  await fleet.open(2 * last.length);
  const others = fleet.peers.slice(length);
  const turns: Turn[] = [];
  for (let turn = 0; turn < last.length / SPAN; turn++) {
    const [swarm, from] = [`small ${turn}`, 2 * SPAN * turn];
    await fleet.join(others.slice(from, from + SPAN), swarm);
    const joinSmall = (): Promise<Spent> => spent(() => fleet.join(others.slice(from + SPAN, from + 2 * SPAN), swarm));
    const joinLarge = (): Promise<Spent> => spent(() => fleet.join(last.slice(SPAN * turn, SPAN * (turn + 1)), SWARM));
    if (turn % 2 === 0) turns.push({ small: await joinSmall(), large: await joinLarge() });
    else turns.push({ large: await joinLarge(), small: await joinSmall() });
  }
  fleet.destroy(others);
  await emptied(server, length);
  return turns;
}

/**
 * What it costs that every second peer goes at once, with all news of it to those who are left: DROPS times, each from a full house, beyond what is used
 * anyway. Pings would be most of that, and drown the rest: here are none.
 */
async function drop(
  system: System,
  server: ServerProcess,
  options: SignalingBenchOptions,
): Promise<Required<Pick<Round, 'drop' | 'dropLost'>>> {
  const { peers, newsMs } = options;
  await warmUp(system, server, options);
  const fleet = new Fleet(system, [server.port]);
  const spent = stopwatch(server, fleet);
  const costs: number[] = [];
  for (let round = 0; round < DROPS; round++) {
    await refill(fleet, peers - fleet.peers.length);
    await delay(newsMs);
    const idle = await spent(() => delay(newsMs));
    const gone = everySecond(fleet);
    const dropping = await spent(async () => {
      await dropAll(fleet, server, gone);
      await delay(newsMs);
    });
    costs.push((dropping.cpu - (idle.cpu * dropping.milliseconds) / idle.milliseconds) / gone.length);
  }
  await refill(fleet, peers - fleet.peers.length);
  const dropLost = await dropWhileTheyTalk(fleet, server, MURMUR * system.signalShare, options);
  finish(system, fleet);
  return { drop: medianOrNaN(costs), dropLost };
}

/** Every second peer goes at once, while the others exchange signals. @returns signals that did not come, or came more than once */
async function dropWhileTheyTalk(
  fleet: Fleet,
  server: ServerProcess,
  perSecond: number,
  { newsMs }: SignalingBenchOptions,
): Promise<number> {
  const gone = everySecond(fleet);
  const among = new Set(gone);
  const murmurMs = newsMs + SPARE_MS;
  const start = performance.now();
  const murmur = fleet.murmur(
    fleet.peers.filter((peer) => !among.has(peer)),
    perSecond,
    murmurMs,
  );
  await delay(LEAD_MS);
  await dropAll(fleet, server, gone);
  if (performance.now() > start + murmurMs)
    throw new Error('The signals ended before all had gone: give them more time.');
  const { missing, surplus } = await murmur;
  return missing + surplus;
}

const everySecond = (fleet: Fleet): Peer[] => fleet.peers.filter((_, index) => index % 2 === 1);

async function dropAll(fleet: Fleet, server: ServerProcess, gone: readonly Peer[]): Promise<void> {
  const left = fleet.peers.length - gone.length;
  fleet.destroy(gone);
  await emptied(server, left);
}

async function refill(fleet: Fleet, count: number): Promise<void> {
  const { length } = fleet.peers;
  await fleet.open(count);
  await fleet.join(fleet.peers.slice(length), SWARM);
}

async function emptied(server: ServerProcess, connections: number): Promise<void> {
  await until('the server has noticed who is gone', async () => (await server.usage()).connections === connections);
}

interface Spent {
  /** Of the server, microseconds. */
  readonly cpu: number;
  readonly milliseconds: number;
  /** That came in this time. */
  readonly pings: number;
}

type Stopwatch = (work: () => Promise<unknown>) => Promise<Spent>;

const stopwatch =
  (server: ServerProcess, fleet: Fleet): Stopwatch =>
  async (work) => {
    const start = performance.now();
    const { pings } = fleet;
    const { cpu: before } = await server.usage();
    await work();
    const { cpu: after } = await server.usage();
    return { cpu: after - before, milliseconds: performance.now() - start, pings: fleet.pings - pings };
  };

/** CPU for each of so many, without the pings that fell into the same time. */
const each = ({ cpu, pings }: Spent, count: number, ping: number): number => (cpu - pings * ping) / count;
