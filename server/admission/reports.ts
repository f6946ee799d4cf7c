/**
 * Peers that others banned. One voice bans nobody: it takes three reporters of two or three sites (docs/decisions/0026). What is remembered is
 * bounded and expires.
 */
import type { PeerId } from '../../protocol/ids.ts';
import { siteOf, type SiteKey } from '../site.ts';
import {
  BAD_FOR_MS,
  MAX_REPORTED,
  MAX_REPORTERS,
  REPORT_VALID_MS,
  REPORTERS_NEEDED,
  REPORTING_IPV6_PREFIX,
} from './limits.ts';

export interface Reporter {
  /** Whose voice it is: with tokens the subject, for a subject can have many peers; else the peer. */
  readonly voice: string;
  readonly site: SiteKey;
  /** Where anybody can be many peers, what one of them has at most; else the site. */
  readonly network: SiteKey;
}

interface Voice {
  readonly site: SiteKey;
  readonly network: SiteKey;
  readonly at: number;
}

export class Reports {
  readonly #voices = new Map<PeerId, Map<string, Voice>>();
  /** Until when each bad peer stays out, ms. */
  readonly #bad = new Map<PeerId, number>();

  readonly #sitesNeeded: number;

  constructor(sitesNeeded: number) {
    this.#sitesNeeded = sitesNeeded;
  }

  /** Peers with reports against them. */
  get size(): number {
    return this.#voices.size;
  }

  /** @param now milliseconds, of any origin @returns whether that was the voice that puts the peer out */
  report(peer: PeerId, { voice, site, network }: Reporter, now: number): boolean {
    if (this.badFor(peer, now) > 0) return false;
    const voices = this.#voices.get(peer) ?? new Map<string, Voice>();
    this.#voices.delete(peer); // the latest last, so that the oldest is found
    for (const [other, { at }] of voices) if (now - at >= REPORT_VALID_MS) voices.delete(other);
    // said again it counts once more from now; a new one makes the oldest go
    voices.delete(voice);
    if (voices.size >= MAX_REPORTERS) deleteOldest(voices);
    voices.set(voice, { site, network, at: now });
    if (voices.size >= REPORTERS_NEEDED && sitesOf([...voices.values()]) >= this.#sitesNeeded) {
      if (this.#bad.size >= MAX_REPORTED) deleteOldest(this.#bad);
      this.#bad.set(peer, now + BAD_FOR_MS);
      return true;
    }
    if (this.#voices.size >= MAX_REPORTED) deleteOldest(this.#voices);
    this.#voices.set(peer, voices);
    return false;
  }

  /** Milliseconds for which this peer stays out; 0: it may join. */
  badFor(peer: PeerId, now: number): number {
    if (this.#bad.size === 0) return 0;
    const until = this.#bad.get(peer);
    if (until === undefined) return 0;
    if (until > now) return until - now;
    this.#bad.delete(peer);
    return 0;
  }
}

/** Sites, but those of one network count as one. */
const sitesOf = (voices: readonly Voice[]): number =>
  Math.min(new Set(voices.map(({ site }) => site)).size, new Set(voices.map(({ network }) => network)).size);

/** @param address of a connection, or the prefix that it is counted by */
export const networkOf = (address: string): SiteKey => siteOf(address.split('/', 1)[0] ?? '', REPORTING_IPV6_PREFIX);

function deleteOldest<K>(map: Map<K, unknown>): void {
  for (const key of map.keys()) {
    map.delete(key);
    return;
  }
}
