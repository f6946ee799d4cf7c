import { InvalidArgumentError } from 'commander';

/** `base`: connections and joins, which signals and drops need anyway. */
export const ROWS = ['base', 'signal', 'drop', 'memory', 'burst'] as const;

export type RowName = (typeof ROWS)[number];

export interface SignalingBenchOptions {
  readonly peers: number;
  /** Rounds of each system. */
  readonly runs: number;
  readonly only: readonly RowName[];
  /** Names of systems; the kit and socket.io are what the bars are about. */
  readonly systems: readonly string[];
  /** Signals of each kind that are measured. */
  readonly signals: number;
  /** Connections that are begun at once. */
  readonly burst: number;
  /** Peers of each wave that comes and goes before anything is measured. */
  readonly warmUp: number;
  /** Milliseconds after the last join, or a drop, that count as its time: in a swarm of 10,000 news may be 10 s late. */
  readonly newsMs: number;
  /** Milliseconds of idleness that are measured: a whole round of socket.io's pings, which by default are 25 s apart and come bunched. */
  readonly idleMs: number;
  /** Folder for CPU profiles of the servers; they make them slower. */
  readonly profiles?: string;
}

export const DEFAULTS: SignalingBenchOptions = {
  peers: 10_000,
  runs: 3,
  only: ROWS,
  systems: ['p2p-elements', 'socket.io', 'bittorrent-tracker'],
  signals: 30_000,
  burst: 5000,
  warmUp: 2500,
  newsMs: 12_000,
  idleMs: 26_000,
};

/** For commander. */
export function count(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('Expected a whole number above 0.');
}
