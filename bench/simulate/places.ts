/** The simulated network: sites with one line each, their members' own connections, and an origin far away. Rates are in bytes per ms. */
import type { Random } from '../../mesh/core/ports.ts';
import type { Route } from '../../test/mesh/world/flow.ts';
import { Gate, Pipe } from '../../test/mesh/world/pipe.ts';
import type { VirtualClock } from '../../test/mesh/world/virtual-clock.ts';

/** What one kind of site is like; rates in bits per second. */
export interface SiteOptions {
  readonly lineDown: number;
  readonly lineUp: number;
  /** Each member's own connection, both ways; null: the line itself, as in a household of one. */
  readonly lan: number | null;
}

export interface Site {
  readonly name: string;
  readonly down: Pipe;
  readonly up: Pipe;
  /** One way to the backbone, ms. */
  readonly latency: number;
}

export interface Place {
  readonly name: string;
  readonly site: Site;
  /** From this peer: its own connection, then, to the outside, the line. */
  readonly inside: readonly Pipe[];
  readonly outside: readonly Pipe[];
  readonly gate: Gate | null;
}

/** Largest turn at a line, bytes: a data-channel message and what little follows it. */
const TURN_BYTES = 33 * 1024;

/** Bytes under way on one connection: what a transport's window is after its first round trips. */
const WINDOW_BYTES = 128 * 1024;

/** One way between two peers of one site, and of each site to the backbone, ms: 10 to 60 between two sites. */
const LAN_LATENCY_MS = 1.5;
const SITE_LATENCY_MS = [5, 30] as const;

/** The origin: a CDN that is never the bottleneck. */
const ORIGIN_BITS_PER_SECOND = 40e9;
const ORIGIN_LATENCY_MS = 5;

export const bytesPerMillisecond = (bitsPerSecond: number): number => bitsPerSecond / 8000;

export class Places {
  readonly #clock: VirtualClock;
  readonly #scale: number;
  readonly #random: Random;
  readonly #all = new Map<string, Place>();
  readonly #origin: Pipe;

  /** @param scale what all bytes and rates are divided by */
  constructor(clock: VirtualClock, random: Random, scale: number) {
    this.#scale = scale;
    this.#clock = clock;
    this.#random = random;
    this.#origin = this.#pipe(ORIGIN_BITS_PER_SECOND / scale);
  }

  site(name: string, { lineDown, lineUp }: SiteOptions): Site {
    const [least, most] = SITE_LATENCY_MS;
    const latency = least + this.#random() * (most - least);
    return { name, latency, down: this.#pipe(lineDown), up: this.#pipe(lineUp) };
  }

  /** @param slowness the peer's own upload is divided by this */
  add(name: string, site: Site, { lan, lineUp }: SiteOptions, slowness = 1): Place {
    const own = slowness === 1 && lan === null ? site.up : this.#pipe((lan ?? lineUp) / slowness);
    const place: Place = {
      name,
      site,
      inside: [own],
      outside: own === site.up || lan === null ? [own] : [own, site.up],
      gate: lan === null ? null : new Gate(bytesPerMillisecond(lan)),
    };
    this.#all.set(name, place);
    return place;
  }

  get(name: string): Place {
    const place = this.#all.get(name);
    if (!place) throw new Error(`nobody is called ${name}`);
    return place;
  }

  /** Between two peers. */
  readonly between = (from: string, to: string): Route => {
    const [a, b] = [this.get(from), this.get(to)];
    const window = WINDOW_BYTES / this.#scale;
    if (a.site === b.site) return { pipes: a.inside, gate: b.gate, latency: LAN_LATENCY_MS, window };
    return {
      pipes: [...a.outside, b.site.down],
      gate: b.gate,
      latency: a.site.latency + b.site.latency,
      window,
    };
  };

  readonly fromOrigin = (to: string): Route => {
    const { site, gate } = this.get(to);
    return {
      pipes: [this.#origin, site.down],
      gate,
      latency: ORIGIN_LATENCY_MS + site.latency,
      window: WINDOW_BYTES / this.#scale,
      isBulk: true,
    };
  };

  #pipe(bitsPerSecond: number): Pipe {
    return new Pipe(this.#clock, bytesPerMillisecond(bitsPerSecond), TURN_BYTES / this.#scale);
  }
}
