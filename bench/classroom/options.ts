/** What one run is asked for, and the pure arithmetic of it. */

export const SYSTEMS = ['hlsjs', 'p2pml', 'p2p-elements'] as const;

export type SystemName = (typeof SYSTEMS)[number];

/** When the viewers open the page: all at once, one every so many seconds, or the first alone and all others so many seconds later. */
export type Arrival = { readonly kind: 'together' } | { readonly kind: 'stagger' | 'ahead'; readonly seconds: number };

export interface RunOptions {
  readonly system: SystemName;
  /** 1 to 12: more than two cores can show. */
  readonly viewers: number;
  /** Mbit/s from the origin to the LAN; 0 = unlimited. */
  readonly uplink: number;
  /** Mbit/s from the LAN to the origin. */
  readonly back: number;
  /** Depth of the drop-tail queue in front of the uplink. */
  readonly queueMs: number;
  readonly arrival: Arrival;
  readonly mode: 'vod' | 'live';
  /** VOD: seconds of media, a multiple of 4. Live: seconds to watch after the last arrival. */
  readonly duration: number;
  /** VOD: seconds until a run is given up. */
  readonly timeout: number;
  /** Segments in the live playlist. */
  readonly liveWindow: number;
  /** Viewer 1 watches everything first, then the others start. */
  readonly seeded: boolean;
  /** Each viewer visits once before, alone, and is measured on the second visit. */
  readonly warm: boolean;
  /** 1: one of 2 Mbit/s. 3: 1, 2 and 4 Mbit/s. */
  readonly renditions: 1 | 3;
  /** Seconds after the start (seeded: after the others start) at which the uplink is cut. */
  readonly killOriginAt: number | undefined;
  /** Seconds after the start at which one browser is killed. */
  readonly killViewerAt: number | undefined;
  /** Which one: its number, or who has sent most on the LAN by then. */
  readonly killViewer: number | 'busiest';
  /** The origin sees one address for all viewers. */
  readonly nat: boolean;
  /** Added to the page's query string. */
  readonly query: string;
  readonly chromeFlags: readonly string[];
  /** Show the pages' consoles and the origin's errors. */
  readonly verbose: boolean;
}

export const SEGMENT_SECONDS = 4;
export const MAX_VIEWERS = 12;
/** The media is generated once in this length; live loops it. */
export const MEDIA_SECONDS = 240;

export const DEFAULTS: RunOptions = {
  system: 'p2p-elements',
  viewers: 6,
  uplink: 8,
  back: 8,
  queueMs: 200,
  arrival: { kind: 'together' },
  mode: 'vod',
  duration: 60,
  timeout: 210,
  liveWindow: 8,
  seeded: false,
  warm: false,
  renditions: 1,
  killOriginAt: undefined,
  killViewerAt: undefined,
  killViewer: 1,
  nat: true,
  query: '',
  chromeFlags: [],
  verbose: false,
};

/** `together`, `stagger:SECONDS` or `ahead:SECONDS`. @throws if it is none of them */
export function parseArrival(text: string): Arrival {
  if (text === 'together') return { kind: 'together' };
  const [, kind, seconds] = /^(stagger|ahead):(\d+(?:\.\d+)?)$/.exec(text) ?? [];
  if (kind === 'stagger' || kind === 'ahead') return { kind, seconds: Number(seconds) };
  throw new Error(`Expected together, stagger:SECONDS or ahead:SECONDS, but got "${text}".`);
}

export const formatArrival = (arrival: Arrival): string =>
  arrival.kind === 'together' ? 'together' : `${arrival.kind}:${arrival.seconds}`;

/** Seconds from the first arrival to each of `count` arrivals. */
export function arrivalTimes(arrival: Arrival, count: number): number[] {
  switch (arrival.kind) {
    case 'together':
      return Array.from({ length: count }, () => 0);
    case 'stagger':
      return Array.from({ length: count }, (_, index) => index * arrival.seconds);
    case 'ahead':
      return Array.from({ length: count }, (_, index) => (index === 0 ? 0 : arrival.seconds));
  }
}

/** A run's options from what was said. @throws with one line for people if they don't fit together */
export function runOptions(said: Partial<RunOptions>): RunOptions {
  const duration = said.duration ?? DEFAULTS.duration;
  const options: RunOptions = {
    ...DEFAULTS,
    back: said.uplink ?? DEFAULTS.back,
    timeout: 3 * duration + 30,
    ...said,
  };
  const { viewers, mode, killViewer, renditions } = options;
  if (!Number.isInteger(viewers) || viewers < 1 || viewers > MAX_VIEWERS)
    throw new Error(`Expected 1 to ${MAX_VIEWERS} viewers, but got ${viewers}.`);
  if (mode === 'vod' && (duration % SEGMENT_SECONDS !== 0 || duration <= 0 || duration > MEDIA_SECONDS))
    throw new Error(`Expected a duration of 4 to ${MEDIA_SECONDS} s in steps of 4 for vod, but got ${duration}.`);
  if (killViewer !== 'busiest' && !(killViewer >= 1 && killViewer <= viewers))
    throw new Error(`There is no viewer ${killViewer} among ${viewers} to kill.`);
  if (![1, 3].includes(renditions)) throw new Error(`Expected 1 or 3 renditions, but got ${String(renditions)}.`);
  if (mode === 'live' && renditions !== 1) throw new Error('Live has one rendition only: leave out --renditions.');
  return options;
}

/** One line that names the run. */
export function describe(options: RunOptions): string {
  const { system, mode, viewers, uplink, back, arrival, renditions, killOriginAt, killViewerAt, killViewer } = options;
  const parts = [
    `${system} ${mode}`,
    `${viewers} viewers`,
    `${uplink === 0 ? 'unlimited' : uplink}${back === uplink ? '' : `/${back}`} Mbit/s`,
    formatArrival(arrival),
    options.seeded && 'seeded',
    options.warm && 'second visit',
    renditions > 1 && `${renditions} renditions`,
    killOriginAt !== undefined && `line cut at ${killOriginAt} s`,
    killViewerAt !== undefined &&
      `${killViewer === 'busiest' ? 'the busiest viewer' : `viewer ${killViewer}`} killed at ${killViewerAt} s`,
  ];
  return parts.filter((part) => part !== false).join(', ');
}
