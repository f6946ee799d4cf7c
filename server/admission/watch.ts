/**
 * Looks at all connections every two seconds: one timer for what would else be several for each. Cuts off who does not join, does not read, sends
 * too much, or has a token that has run out. Owned by the Admission.
 */
import { bytesReadBy, isOpen, rawSocketOf, terminate, waitingPackets, type RawSocket } from './engine-socket.ts';
import { Deadlines } from './deadlines.ts';
import { GOODBYE_MS, MAX_STUCK_SWEEPS, MAX_WAITING_BYTES, MAX_WAITING_PACKETS_AT_ALL, SWEEP_MS } from './limits.ts';
import type { Pace } from './pace.ts';
import type { RefusalReason } from './refusals.ts';
import type { Visit } from './visit.ts';

export interface WatchOptions {
  readonly joinSeconds: number;
  readonly bytes: Pace;
  /** Packets of one connection between two looks. */
  readonly packets: number;
  /** Milliseconds, of any origin. */
  readonly now: () => number;
  /** Milliseconds since 1970. */
  readonly today: () => number;
  readonly cutOff: (visit: Visit, reason: RefusalReason) => void;
}

export class Watch {
  readonly #options: WatchOptions;
  readonly #visits = new Set<Visit>();
  readonly #newcomers: Deadlines<Visit>;
  /** Refused ones that may read why. */
  readonly #dismissed = new Deadlines<Visit>(GOODBYE_MS);
  /** WebSockets that were closed, and whose clients have yet to say goodbye. */
  readonly #leaving = new Deadlines<RawSocket>(GOODBYE_MS);
  readonly #timer: NodeJS.Timeout;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#newcomers = new Deadlines(1000 * options.joinSeconds);
    this.#timer = setInterval(() => this.look(), SWEEP_MS).unref();
  }

  get size(): number {
    return this.#visits.size;
  }

  enter(visit: Visit): void {
    this.#visits.add(visit);
    this.#newcomers.add(visit, this.#options.now());
  }

  joined(visit: Visit): void {
    this.#newcomers.delete(visit);
  }

  /** It was refused, and is to go. */
  dismiss(visit: Visit): void {
    this.#newcomers.delete(visit);
    this.#dismissed.add(visit, this.#options.now());
  }

  left(visit: Visit): void {
    this.#visits.delete(visit);
    this.#newcomers.delete(visit);
    this.#dismissed.delete(visit);
    const raw = rawSocketOf(visit.connection);
    if (raw && isOpen(raw)) this.#leaving.add(raw, this.#options.now());
  }

  packet(visit: Visit): void {
    if (++visit.packets > this.#options.packets) this.#options.cutOff(visit, 'packets');
  }

  /** Called by the timer, and by tests. */
  look(): void {
    const { now, cutOff } = this.#options;
    const at = now();
    for (const visit of this.#newcomers.takeOverdue(at)) cutOff(visit, 'never-joined');
    for (const { connection } of this.#dismissed.takeOverdue(at)) terminate(connection);
    for (const raw of this.#leaving.takeOverdue(at)) raw.terminate?.();
    const today = this.#options.today();
    for (const visit of this.#visits) {
      const reason = this.#whatIsWrong(visit, at, today);
      if (reason !== null) cutOff(visit, reason);
    }
  }

  #whatIsWrong(visit: Visit, now: number, today: number): RefusalReason | null {
    const { connection, grant } = visit;
    visit.packets = 0;
    const raw = rawSocketOf(connection);
    const waiting = waitingPackets(connection);
    visit.stuck = waiting > 0 ? visit.stuck + 1 : 0;
    if (
      visit.stuck > MAX_STUCK_SWEEPS ||
      waiting > MAX_WAITING_PACKETS_AT_ALL ||
      (raw?.bufferedAmount ?? 0) > MAX_WAITING_BYTES
    )
      return 'slow-reader';
    const read = bytesReadBy(raw);
    const bytes = Math.max(0, read - visit.bytesRead) + visit.bodyBytes;
    visit.bytesRead = read;
    visit.bodyBytes = 0;
    if (bytes > 0 && visit.take('bytes', this.#options.bytes, now, bytes) > 0) return 'bytes';
    return grant !== null && grant.expires <= today ? 'expired-token' : null;
  }

  /** Ends the timer. */
  close(): void {
    clearInterval(this.#timer);
  }
}
