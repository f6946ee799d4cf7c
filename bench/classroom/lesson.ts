/** The part of a run that is measured: viewers come, watch, are disturbed, and are done. Owns its clock, ticker and timers. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Disturbance, Measurement, Tick, ViewerRecord } from './measurement.ts';
import { CpuMeter, machineCpu, ORIGIN } from './namespaces.ts';
import { counters, cutUplink, type Counters } from './network.ts';
import { arrivalTimes, type RunOptions } from './options.ts';
import { sum } from '../statistics.ts';
import type { Viewer } from './viewers.ts';

/** A warm visit goes on until this much was played: code and first segments are cached, the service worker is there. */
const WARM_VISIT_SECONDS = 8;
/** Cut off from the origin, who has not moved for this long never will. */
const STUCK_SECONDS = 20;
const LOOK_MS = 250;
/** A page that does not answer keeps its last reading. */
const LAST_POLL_MS = 5000;

export interface Watched {
  /** Milliseconds since 1970 at the start. */
  readonly wallClock: number;
  readonly facts: Omit<Measurement, 'options' | 'served' | 'media'>;
}

export class Lesson {
  readonly #options: RunOptions;
  readonly #url: string;
  readonly #viewers: readonly Viewer[];
  readonly #cpu: CpuMeter;
  readonly #timeline: Tick[] = [];
  #base: Counters;
  #cpuBase = new Map<string, number>();
  #startedAt = 0;
  #disturbance: Disturbance | undefined;

  constructor(options: RunOptions, url: string, viewers: readonly Viewer[]) {
    this.#options = options;
    this.#url = url;
    this.#viewers = viewers;
    this.#cpu = new CpuMeter([ORIGIN, ...viewers.map(({ namespace }) => namespace)]);
    this.#base = counters(viewers.length);
  }

  /** Each viewer alone, so that none has a neighbour. */
  async visitOnce(): Promise<void> {
    for (const viewer of this.#viewers) {
      viewer.open(this.#url, 0);
      const hasSeen = async (): Promise<boolean> => {
        await viewer.poll();
        return (viewer.reading?.played ?? 0) >= WARM_VISIT_SECONDS;
      };
      await waitFor(hasSeen, this.#options.timeout);
      await viewer.leave();
    }
  }

  async watch(): Promise<Watched> {
    const wallClock = Date.now();
    const [machine, own] = [machineCpu(), process.cpuUsage()];
    this.#base = counters(this.#viewers.length);
    this.#cpuBase = this.#cpu.read();
    this.#startedAt = performance.now();
    const ticker = setInterval(() => this.#tick(), 1000);
    const seed = this.#options.seeded ? await this.#seed() : undefined;
    const disturbing = this.#disturb(seed?.at ?? 0);
    await this.#arrive(seed === undefined ? this.#viewers : this.#viewers.slice(1));
    await this.#untilDone();
    clearInterval(ticker);
    disturbing.forEach(clearTimeout);
    await Promise.race([Promise.all(this.#viewers.map((viewer) => viewer.poll())), delay(LAST_POLL_MS)]);
    this.#tick();
    const end = counters(this.#viewers.length);
    const cpu = this.#cpuSince();
    const { busy, total } = difference(machineCpu(), machine);
    const runner = process.cpuUsage(own);
    const ours = sum([...cpu.values()]) + (runner.user + runner.system) / 1e6;
    const facts: Watched['facts'] = {
      when: new Date(wallClock).toISOString(),
      viewers: this.#viewers.map((viewer, index) => this.#record(viewer, index, end, cpu)),
      uplinkBytes: end.uplink - this.#base.uplink,
      backBytes: end.back - this.#base.back,
      uplinkAfterSeed: seed === undefined ? undefined : end.uplink - seed.uplink,
      wall: this.#now() - (seed?.at ?? 0),
      machineBusy: busy / total,
      otherCores: (busy - ours) / this.#now(),
      timeline: this.#timeline,
      disturbance: this.#disturbance,
    };
    return { wallClock, facts };
  }

  /** Viewer 1 alone, to the end. */
  async #seed(): Promise<{ readonly at: number; readonly uplink: number }> {
    const [first] = this.#viewers;
    if (first === undefined) throw new Error('Nobody is there to seed.');
    const { mode, timeout, duration } = this.#options;
    first.open(this.#url, this.#now());
    await (mode === 'vod' ? waitFor(() => isDone(first), timeout) : delay(duration * 1000));
    return { at: this.#now(), uplink: counters(this.#viewers.length).uplink };
  }

  async #arrive(viewers: readonly Viewer[]): Promise<void> {
    const times = arrivalTimes(this.#options.arrival, viewers.length);
    const start = performance.now();
    for (const [index, viewer] of viewers.entries()) {
      const wait = (times[index] ?? 0) * 1000 - (performance.now() - start);
      if (wait > 0) await delay(wait);
      if (viewer.state === 'waiting') viewer.open(this.#url, this.#now());
    }
  }

  /** @param from seconds after the run's start from which its times count */
  #disturb(from: number): NodeJS.Timeout[] {
    const { killOriginAt, killViewerAt, killViewer } = this.#options;
    const at = (seconds: number | undefined, kind: Disturbance['kind'], action: () => void): NodeJS.Timeout[] => {
      if (seconds === undefined) return [];
      const act = async (): Promise<void> => {
        await Promise.race([Promise.all(this.#viewers.map((viewer) => viewer.poll())), delay(LOOK_MS)]);
        const at = this.#now();
        action();
        const viewers = this.#viewers.map(({ number, reading }) => {
          return { number, position: reading?.position ?? 0, bufferEnd: reading?.bufferEnd ?? 0 };
        });
        this.#disturbance = { kind, at, viewers };
        console.error(`  ${(at - from).toFixed(1)} s: ${kind}`);
      };
      return [setTimeout(() => void act(), seconds * 1000)];
    };
    return [
      ...at(killOriginAt, 'line cut', cutUplink),
      ...at(killViewerAt, 'viewer killed', () => this.#viewers[this.#indexOf(killViewer)]?.kill()),
    ];
  }

  #indexOf(victim: RunOptions['killViewer']): number {
    if (victim !== 'busiest') return victim - 1;
    const { viewers } = counters(this.#viewers.length);
    const sent = viewers.map((viewer, index) => viewer.sent - (this.#base.viewers[index]?.sent ?? 0));
    return sent.indexOf(Math.max(...sent));
  }

  async #untilDone(): Promise<void> {
    const { mode, duration, timeout } = this.#options;
    if (mode === 'live') await delay(duration * 1000);
    else await waitFor(() => this.#viewers.every((viewer) => isDone(viewer) || this.#isStuck(viewer)), timeout);
  }

  /** Without the line, a viewer that stands still has nothing to wait for. */
  #isStuck({ reading }: Viewer): boolean {
    if (this.#disturbance?.kind !== 'line cut' || this.#now() - this.#disturbance.at < STUCK_SECONDS) return false;
    const stall = reading?.stalls.at(-1);
    if (reading?.firstFrame === undefined) return true;
    return reading.isStalled && (stall?.duration ?? 0) >= STUCK_SECONDS;
  }

  #tick(): void {
    for (const viewer of this.#viewers) void viewer.poll();
    this.#cpu.read(); // a process that ends is counted to its last second
    const { uplink, viewers } = counters(this.#viewers.length);
    const lan = sum(viewers.map(({ sent }, index) => sent - (this.#base.viewers[index]?.sent ?? 0)));
    this.#timeline.push({
      at: round(this.#now()),
      uplink: uplink - this.#base.uplink,
      lan,
      positions: this.#viewers.map(({ reading }) => round(reading?.position ?? 0)),
      bufferEnds: this.#viewers.map(({ reading }) => round(reading?.bufferEnd ?? 0)),
    });
  }

  #record(viewer: Viewer, index: number, end: Counters, cpu: ReadonlyMap<string, number>): ViewerRecord {
    const { number, state, startedAt, reading, warnings, namespace } = viewer;
    const [before, after] = [this.#base.viewers[index], end.viewers[index]];
    return {
      number,
      state,
      startedAt,
      reading,
      warnings: [...warnings], // ending the origin makes more of them
      received: (after?.received ?? 0) - (before?.received ?? 0),
      sent: (after?.sent ?? 0) - (before?.sent ?? 0),
      cpuSeconds: cpu.get(namespace) ?? 0,
    };
  }

  #cpuSince(): Map<string, number> {
    return new Map([...this.#cpu.read()].map(([name, seconds]) => [name, seconds - (this.#cpuBase.get(name) ?? 0)]));
  }

  /** Seconds after the run's start. */
  #now(): number {
    return (performance.now() - this.#startedAt) / 1000;
  }
}

const isDone = ({ state, reading }: Viewer): boolean =>
  state === 'killed' || state === 'crashed' || (state === 'watching' && reading?.ended === true);

/** Looks until the condition holds, at most so many seconds. */
async function waitFor(condition: () => boolean | Promise<boolean>, seconds: number): Promise<void> {
  const end = performance.now() + seconds * 1000;
  while (!(await condition()) && performance.now() < end) await delay(LOOK_MS);
}

const difference = (a: Record<'busy' | 'total', number>, b: Record<'busy' | 'total', number>) => ({
  busy: a.busy - b.busy,
  total: a.total - b.total,
});

const round = (value: number): number => Math.round(value * 10) / 10;
