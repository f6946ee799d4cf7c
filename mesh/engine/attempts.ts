/** Connection attempts and open connections by the number that the offering side chose. Owned by the Membership. */
import type { PeerId } from '../../protocol/ids.ts';
import { DIAL_TIMEOUT_MS } from '../core/limits.ts';
import type { Degree } from '../core/topology.ts';
import type { Clock } from '../core/ports.ts';

export interface Attempt {
  readonly connection: number;
  readonly peer: PeerId;
  readonly role: 'offers' | 'answers';
  readonly sameSite: boolean;
  readonly state: 'dialing' | 'open';
  /** When it began, on the clock. */
  readonly since: number;
}

export class Attempts {
  readonly #clock: Clock;
  readonly #expired: (attempt: Attempt) => void;
  readonly #all = new Map<number, { attempt: Attempt; cancelTimer: () => void }>();

  /** @param expired told of each attempt that is not open in time; it is forgotten by then */
  constructor(clock: Clock, expired: (attempt: Attempt) => void) {
    this.#clock = clock;
    this.#expired = expired;
  }

  add(connection: number, peer: PeerId, role: Attempt['role'], sameSite: boolean): void {
    const cancelTimer = this.#clock.after(DIAL_TIMEOUT_MS, () => {
      const attempt = this.remove(connection);
      if (attempt) this.#expired(attempt);
    });
    this.#all.set(connection, {
      attempt: { connection, peer, role, sameSite, state: 'dialing', since: this.#clock.now() },
      cancelTimer,
    });
  }

  get(connection: number): Attempt | undefined {
    return this.#all.get(connection)?.attempt;
  }

  get degree(): Degree {
    return degreeOf([...this.#all.values()].map(({ attempt }) => attempt));
  }

  /** Those of them that are not open yet. */
  get dialing(): Degree {
    return degreeOf([...this.#all.values()].flatMap(({ attempt }) => (attempt.state === 'dialing' ? [attempt] : [])));
  }

  get latestOutside(): Attempt | undefined {
    return [...this.#all.values()].map(({ attempt }) => attempt).findLast(({ sameSite }) => !sameSite);
  }

  /** The attempt with this peer that is under way, else the open connection. */
  of(peer: PeerId): Attempt | undefined {
    const all = [...this.#all.values()].map(({ attempt }) => attempt).filter((attempt) => attempt.peer === peer);
    return all.find(({ state }) => state === 'dialing') ?? all[0];
  }

  opened(connection: number): void {
    const entry = this.#all.get(connection);
    if (!entry) return;
    entry.cancelTimer();
    entry.attempt = { ...entry.attempt, state: 'open' };
  }

  remove(connection: number): Attempt | undefined {
    const entry = this.#all.get(connection);
    entry?.cancelTimer();
    this.#all.delete(connection);
    return entry?.attempt;
  }

  clear(): readonly Attempt[] {
    return [...this.#all.keys()].flatMap((connection) => this.remove(connection) ?? []);
  }
}

function degreeOf(attempts: readonly Attempt[]): Degree {
  const ofSite = attempts.filter(({ sameSite }) => sameSite).length;
  return { ofSite, outside: attempts.length - ofSite };
}
