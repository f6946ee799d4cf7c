/**
 * How fast something may come. Kept by the generic cell rate algorithm (ITU-T I.371): one number for each sender, the time until which it has used
 * up what it may, see `Visit.take`.
 */
import {
  BYTES_BURST,
  CLAIM_BURST,
  JOIN_BURST,
  REPORT_BURST,
  REPORTS_PER_SECOND,
  SIGNAL_BURST,
  SWEEP_MS,
  type AdmissionLimits,
} from './limits.ts';

/** What is paced, of each peer. */
export type Paced = 'joins' | 'signals' | 'claims' | 'reports' | 'bytes';

export interface Pace {
  /** Milliseconds that one costs. */
  readonly interval: number;
  /** How many may come at once. */
  readonly burst: number;
}

export const pacesOf = ({ joins, signals, claims, bytes }: AdmissionLimits): Readonly<Record<Paced, Pace>> => ({
  joins: paceOf(joins, JOIN_BURST),
  signals: paceOf(signals, SIGNAL_BURST),
  claims: paceOf(claims, CLAIM_BURST),
  reports: paceOf(REPORTS_PER_SECOND, REPORT_BURST),
  // they are looked at now and then, so what came since comes at once
  bytes: paceOf(bytes, BYTES_BURST + (bytes * SWEEP_MS) / 1000),
});

const paceOf = (perSecond: number, burst: number): Pace => ({ interval: 1000 / perSecond, burst });
