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

export interface Dialing extends Degree {
  /** When the first of our site answered our offer, on the clock; Infinity: none has. */
  readonly answeredAt: number;
}

interface Entry extends Omit<Attempt, 'state'> {
  state: Attempt['state'];
  /** When it answered our offer, if it is of our site, on the clock; Infinity: not yet. */
  answeredAt: number;
  readonly cancelTimer: () => void;
}

export class Attempts {
  readonly #clock: Clock;
  readonly #expired: (attempt: Attempt) => void;
  readonly #all = new Map<number, Entry>();

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
    const since = this.#clock.now();
    this.#all.set(connection, {
      connection,
      peer,
      role,
      sameSite,
      state: 'dialing',
      since,
      answeredAt: Infinity,
      cancelTimer,
    });
  }

  get(connection: number): Attempt | undefined {
    return this.#all.get(connection);
  }

  get degree(): Degree {
    return degreeOf([...this.#all.values()]);
  }

  /** Those of them that we began and that are not open yet; and whether anybody is there. */
  get dialing(): Dialing {
    const all = [...this.#all.values()];
    const dialing = all.filter(({ state, role }) => state === 'dialing' && role === 'offers');
    return { ...degreeOf(dialing), answeredAt: Math.min(...all.map(({ answeredAt }) => answeredAt)) };
  }

  get latestOutside(): Attempt | undefined {
    return [...this.#all.values()].findLast(({ sameSite }) => !sameSite);
  }

  /** The attempt with this peer that is under way, else the open connection. */
  of(peer: PeerId): Attempt | undefined {
    const all = [...this.#all.values()].filter((attempt) => attempt.peer === peer);
    return all.find(({ state }) => state === 'dialing') ?? all[0];
  }

  answered(connection: number): void {
    const attempt = this.#all.get(connection);
    if (attempt?.sameSite) attempt.answeredAt = Math.min(attempt.answeredAt, this.#clock.now());
  }

  opened(connection: number): void {
    const attempt = this.#all.get(connection);
    if (!attempt) return;
    attempt.cancelTimer();
    attempt.state = 'open';
  }

  remove(connection: number): Attempt | undefined {
    const attempt = this.#all.get(connection);
    attempt?.cancelTimer();
    this.#all.delete(connection);
    return attempt;
  }

  clear(): readonly Attempt[] {
    return [...this.#all.keys()].flatMap((connection) => this.remove(connection) ?? []);
  }
}

function degreeOf(attempts: readonly Attempt[]): Degree {
  const ofSite = attempts.filter(({ sameSite }) => sameSite).length;
  return { ofSite, outside: attempts.length - ofSite };
}
