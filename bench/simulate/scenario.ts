/** What can be simulated: a network, and how the viewers behave in it. */
import { BLOCK_BYTES } from '../../protocol/limits.ts';
import type { SiteOptions } from './places.ts';

/** Segments of the stream: their length in ms, and their blocks of 64 KiB at full scale, which makes these bits per second. */
export const SEGMENT_MS = 4000;
const FULL_SCALE_BLOCKS = 16;
const FULL_SCALE_BLOCK_BYTES = 64 * 1024;
const STREAM = (8000 * FULL_SCALE_BLOCKS * FULL_SCALE_BLOCK_BYTES) / SEGMENT_MS;

/** What bytes and rates are divided by: all takes as long as at full scale. */
export const scaleOf = ({ blocks }: Pick<Scenario, 'blocks'>): number =>
  (FULL_SCALE_BLOCKS * FULL_SCALE_BLOCK_BYTES) / (blocks * BLOCK_BYTES);

export interface NetworkKind {
  readonly sites: number;
  readonly viewersPerSite: number;
  readonly site: SiteOptions;
  /** Viewers come evenly spread over so many ms. */
  readonly arrivals: number;
}

const MBIT = 1e6;
/** What a school has that is not the slowest: VDSL. */
const SCHOOL: SiteOptions = { lineDown: 50 * MBIT, lineUp: 10 * MBIT, lan: 100 * MBIT };
const CLASSROOM: SiteOptions = { lineDown: 4 * STREAM, lineUp: 2 * MBIT, lan: 100 * MBIT };

export const NETWORKS = {
  'classroom-6': { sites: 1, viewersPerSite: 6, site: CLASSROOM, arrivals: 500 },
  'classroom-30': { sites: 1, viewersPerSite: 30, site: CLASSROOM, arrivals: 500 },
  'assembly-1000': {
    sites: 1,
    viewersPerSite: 1000,
    site: { lineDown: 16 * STREAM, lineUp: 8 * MBIT, lan: 100 * MBIT },
    arrivals: 1000,
  },
  'sites-200x50': { sites: 200, viewersPerSite: 50, site: SCHOOL, arrivals: 2000 },
  'households-10000': {
    sites: 10_000,
    viewersPerSite: 1,
    site: { lineDown: 20 * MBIT, lineUp: 5 * MBIT, lan: null },
    arrivals: 60_000,
  },
} as const satisfies Record<string, NetworkKind>;

export type NetworkName = keyof typeof NETWORKS;

export const BEHAVIOURS = ['together', 'staggered', 'seek', 'live', 'leave', 'silent', 'slow', 'liars'] as const;

/**
 * - together: all come at once (in households and large sites within `arrivals`) and watch from the beginning
 * - staggered: three seconds apart in a classroom, over half a minute elsewhere
 * - seek: all jump about at random
 * - live: from three segments before the edge
 * - leave: half of them leave within the first minute, every other one of these without a word
 * - silent: a tenth claims to hold everything and answers nothing
 * - slow: a tenth has a tenth of the upload
 * - liars: a tenth announces to fetch everything, claims it at the server too, and never delivers
 */
export type Behaviour = (typeof BEHAVIOURS)[number];

/** What peers say of assets that are on their way, or to be brought. */
export type Muted = 'fetching' | 'queued' | 'want' | 'claim';

export interface Scenario {
  readonly network: NetworkName;
  readonly behaviour: Behaviour;
  readonly kind: NetworkKind;
  readonly seed: number;
  /** Length of the stream and of the run, ms. */
  readonly duration: number;
  readonly blocks: number;
  /** These messages are lost on the way, or, for claims, are refused: what the bars must notice. */
  readonly muted: readonly Muted[];
}

export interface ScenarioOptions {
  readonly seed?: number;
  readonly viewers?: number;
  readonly seconds?: number;
  readonly blocks?: number;
  readonly muted?: readonly Muted[];
}

/** The tenth that behaves badly. */
export const BAD_SHARE = 0.1;

export function scenarioOf(network: NetworkName, behaviour: Behaviour, options: ScenarioOptions = {}): Scenario {
  const { seed = 1, viewers, seconds = 60, blocks, muted = [] } = options;
  const whole: NetworkKind = NETWORKS[network];
  const kind = viewers === undefined ? whole : withViewers(whole, viewers);
  return {
    network,
    behaviour,
    kind: behaviour === 'staggered' ? { ...kind, arrivals: staggeredOver(kind) } : kind,
    seed,
    duration: 1000 * seconds,
    blocks: blocks ?? FULL_SCALE_BLOCKS,
    muted,
  };
}

/** Fewer sites of the same size; where there is one only, a smaller one. */
function withViewers(kind: NetworkKind, viewers: number): NetworkKind {
  if (kind.sites === 1) return { ...kind, viewersPerSite: viewers };
  return { ...kind, sites: Math.max(1, Math.round(viewers / kind.viewersPerSite)) };
}

const staggeredOver = ({ sites, viewersPerSite, arrivals }: NetworkKind): number =>
  sites === 1 && viewersPerSite <= 30 ? 3000 * (viewersPerSite - 1) : Math.max(30_000, arrivals);

/** Viewers that are enough to see what happens without P2P, where sites have nothing to do with each other. */
const SAMPLE = 500;

/** The first sites of a large network. */
export function sampleOf(scenario: Scenario): Scenario {
  const { kind } = scenario;
  return { ...scenario, kind: { ...kind, sites: Math.min(kind.sites, Math.ceil(SAMPLE / kind.viewersPerSite)) } };
}
