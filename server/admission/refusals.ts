/** Counts what is refused by its reason, and says so in the log: a line for each reason now and then, however many there were. */
import type { RefusalCode } from '../../protocol/signaling.ts';
import type { Logger } from '../log.ts';
import { LOG_EVERY_MS } from './limits.ts';

/** Why a connection, a join or a message was refused. More exact than the code that the client is told. */
export const REFUSAL_REASONS = [
  /** Told to the client by the code of the same name. */
  'bad-message',
  'wrong-version',
  'not-joined',
  'unknown-peer',
  'too-many-swarms',
  'superseded',
  'shutting-down',
  /** At the handshake: a page of an origin that is not listed; too many new connections of an address; far too many in all. */
  'origin',
  'connect-rate',
  'flooded',
  /** Told as `full`. */
  'connections',
  'connections-of-address',
  'connections-of-site',
  'peers-of-subject',
  /** Told as `unauthorized`. */
  'no-token',
  'bad-token',
  'expired-token',
  'token-for-other-swarms',
  'token-keys-unreachable',
  'reported',
  /** Told as `too-fast`. */
  'joins',
  'signals',
  'claims',
  'reports',
  'beacons',
  /** Told as `too-fast`: too many wait for the directory. */
  'pending',
  /** Cut off: more bytes or packets than anybody needs; a packet that no client of ours sends; a message that is too long; a second client on one connection; an HTTP body that is too long or of unknown length. */
  'bytes',
  'packets',
  'bad-packet',
  'too-long',
  'second-connect',
  'bad-request',
  /** Not let in: no handshake of engine.io 4, or one for a WebSocket whose upgrade a proxy took away; one of a session that is not there (any more). */
  'bad-handshake',
  'unknown-session',
  /** Cut off: it did not join in time, does not read, or answers no ping, as a laptop that was shut. */
  'never-joined',
  'slow-reader',
  'silent',
  /** A signal that was dropped because its receiver does not read. */
  'receiver-slow',
  /** A signal to, or a report of, somebody it was not introduced to. The client is told `unknown-peer`. */
  'not-introduced',
] as const;

export type RefusalReason = (typeof REFUSAL_REASONS)[number];

/** What was refused since the start. */
export type RefusalCounts = Record<RefusalReason, number>;

export const noRefusals = (): RefusalCounts =>
  Object.fromEntries(REFUSAL_REASONS.map((reason) => [reason, 0])) as RefusalCounts;

export interface RefusalsOptions {
  readonly counts: RefusalCounts;
  readonly log: Logger | undefined;
  /** Addresses are personal data: only if the operator asked for them. */
  readonly logsAddresses: boolean;
  /** Milliseconds, of any origin. */
  readonly now: () => number;
}

export interface RefusalDetails {
  readonly address?: string;
  /** What an operator may want to know; never a token or what a client wrote. */
  readonly detail?: string;
}

export class Refusals {
  readonly #options: RefusalsOptions;
  readonly #logged = new Map<RefusalReason, { at: number; count: number }>();

  constructor(options: RefusalsOptions) {
    this.#options = options;
  }

  count(reason: RefusalReason, details: RefusalDetails = {}): void {
    const { counts, log, logsAddresses, now } = this.#options;
    counts[reason]++;
    if (log?.isLevelEnabled('info') !== true) return;
    const last = this.#logged.get(reason);
    if (last && now() - last.at < LOG_EVERY_MS) return;
    this.#logged.set(reason, { at: now(), count: counts[reason] });
    log.info(
      {
        reason,
        refused: counts[reason] - (last?.count ?? 0),
        ...(details.detail !== undefined && { detail: details.detail }),
        ...(logsAddresses && details.address !== undefined && { address: details.address }),
      },
      'refused',
    );
  }

  /** What a session refuses by itself. What admission refuses it has counted by its reason. */
  countCode(code: RefusalCode, details: RefusalDetails = {}): void {
    if (code !== 'unauthorized' && code !== 'full' && code !== 'too-fast') this.count(code, details);
  }
}
