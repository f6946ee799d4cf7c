/** What the server keeps of one connection beyond socket.io's own: a few numbers, for there are tens of thousands. Made by the Admission. */
import type { PeerId } from '../../protocol/ids.ts';
import type { SiteKey } from '../site.ts';
import type { EngineSocket } from './engine-socket.ts';
import { Introductions } from './introductions.ts';
import type { Pace, Paced } from './pace.ts';
import type { RefusalReason, Refusals } from './refusals.ts';
import type { Grant } from './token-grant.ts';

/** Who is told of a visit's packets and of its end: the Admission. */
export interface VisitKeeper {
  readonly refusals: Refusals;
  packet(visit: Visit): void;
  left(visit: Visit): void;
}

export class Visit {
  readonly admission: VisitKeeper;
  readonly connection: EngineSocket;
  readonly address: string;
  readonly site: SiteKey;
  readonly introductions = new Introductions();
  /** Why it may not stay, if it may not: it is told when it connects. */
  readonly refusedFor: RefusalReason | null;
  /** SHA-256 of the token that was let in last, and what it allows; null: it has shown none. */
  token: string | null = null;
  grant: Grant | null = null;
  /** The peer that has a place of the grant's subject; null: none has. */
  peer: PeerId | null = null;
  /** Packets since the last look. */
  packets = 0;
  /** Bytes since the last look that came as HTTP bodies. */
  bodyBytes = 0;
  /** Bytes of its TCP connection at the last look. */
  bytesRead = 0;
  /** Looks in a row at which something waited for it. */
  stuck = 0;
  joins = 0;
  signals = 0;
  claims = 0;
  reports = 0;
  bytes = 0;

  constructor(
    admission: VisitKeeper,
    connection: EngineSocket,
    from: { readonly address: string; readonly site: SiteKey; readonly refusedFor: RefusalReason | null },
  ) {
    this.admission = admission;
    this.connection = connection;
    this.address = from.address;
    this.site = from.site;
    this.refusedFor = from.refusedFor;
  }

  /** Takes so many of what is paced. @param now milliseconds @returns milliseconds after which there may be more; 0: it has them */
  take(what: Paced, pace: Pace, now: number, count = 1): number {
    const due = Math.max(this[what], now) + count * pace.interval;
    const over = due - now - pace.interval * pace.burst;
    if (over > 0) return over;
    this[what] = due;
    return 0;
  }
}

/** On the connection itself, so that one function serves as listener of all of them. */
const VISIT = Symbol('visit');

type Visited = EngineSocket & { [VISIT]?: Visit };

export const setVisit = (connection: Visited, visit: Visit): Visit => (connection[VISIT] = visit);

/** The visit of a connection; it has one from its first moment on. */
export const visitOf = (connection: Visited): Visit | undefined => connection[VISIT];
