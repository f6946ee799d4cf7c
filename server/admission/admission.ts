/**
 * Who is let in, and what each may do: origins and floods at the handshake, places when it connects, tokens when it joins, paces with each message.
 * Sessions ask it; `Watch` looks at all connections now and then on its behalf. Owned by createSignaling.
 */
import type { IncomingMessage } from 'node:http';
import createDebug from 'debug';
import type { PeerId, SwarmId } from '../../protocol/ids.ts';
import type { JoinRequest, Refusal } from '../../protocol/signaling.ts';
import type { Awaitable } from '../awaitable.ts';
import type { AllowedOrigins } from '../allowed-origins.ts';
import { BEACON_EVERY_MS } from '../beacons/limits.ts';
import { MAX_PENDING_REQUESTS } from '../limits.ts';
import type { Logger } from '../log.ts';
import { refusal } from '../signaling/client-message.ts';
import type { HandshakeRefusal } from '../signaling/transport/signaling-engine.ts';
import { NO_PACKET, SILENT, TOO_LONG, TOO_SLOW } from '../signaling/transport/web-socket-connection.ts';
import type { SiteKey } from '../site.ts';
import { addressKey } from './address-key.ts';
import { memoryLimiter, type Limiter } from './connect-limiter.ts';
import { terminate, waitingPackets, type EngineSocket } from './engine-socket.ts';
import {
  CONNECTIONS_MARGIN,
  DEFAULT_LIMITS,
  MAX_PACKETS_PER_SWEEP,
  MAX_WAITING_PACKETS,
  REPORTING_SITES_NEEDED,
  REPORTING_SITES_NEEDED_WITHOUT_TOKENS,
  RETRY_WHEN_FULL_SECONDS,
  RETRY_WITHOUT_KEYS_SECONDS,
  SWEEP_MS,
  type AdmissionLimits,
} from './limits.ts';
import { isAllowedOrigin } from './origins.ts';
import { pacesOf, type Pace, type Paced } from './pace.ts';
import { Refusals, type RefusalCounts, type RefusalReason } from './refusals.ts';
import { networkOf, Reports } from './reports.ts';
import { MemorySubjects, type Subjects } from './subjects.ts';
import { Tally } from './tally.ts';
import type { TokenKeys } from './token-check.ts';
import { TokenDoor, type TokenVerdict } from './token-door.ts';
import { covers } from './token-grant.ts';
import { setVisit, Visit, visitOf } from './visit.ts';
import { Watch } from './watch.ts';

const debug = createDebug('p2p:server:admission');

export interface AdmissionOptions {
  /** Web origins whose pages may join. With a list, clients that say no origin may not. Default `*`. */
  readonly origins?: AllowedOrigins;
  /** With these a join needs a token. Default: it needs none. */
  readonly tokens?: TokenKeys;
  readonly limits?: Partial<AdmissionLimits>;
  /** Counts new connections by address. Default: on this node alone. */
  readonly connects?: Limiter;
  /** Counts the peers of each token's subject. Default: on this node alone. */
  readonly subjects?: Subjects;
  /** Do log lines about what was refused say whose address it was? Default false: addresses are personal data. */
  readonly logsAddresses?: boolean;
}

export interface AdmissionPorts {
  readonly counts: RefusalCounts;
  readonly log: Logger | undefined;
  readonly addressOf: (request: IncomingMessage) => string;
  readonly siteOf: (address: string) => SiteKey;
  /** Milliseconds, of any origin. */
  readonly now?: () => number;
  /** Milliseconds since 1970. */
  readonly today?: () => number;
}

/** A join that is let in. */
export interface Admitted {
  readonly ok: true;
  /** May it (still) be in this swarm? null: in any. */
  readonly allows: ((swarm: SwarmId) => boolean) | null;
}

const TO_ALL: Admitted = { ok: true, allows: null };

export class Admission {
  readonly limits: AdmissionLimits;
  readonly refusals: Refusals;
  readonly #reports: Reports;
  readonly #addressOf: AdmissionPorts['addressOf'];
  readonly #siteOf: AdmissionPorts['siteOf'];
  readonly #origins: AllowedOrigins;
  readonly #connects: Limiter;
  readonly #door: TokenDoor | null;
  readonly #paces: Readonly<Record<Paced, Pace>>;
  readonly #now: () => number;
  readonly #log: Logger | undefined;
  readonly #addresses = new Tally();
  readonly #sites = new Tally();
  readonly #watch: Watch;

  /** @throws P2PError `bad-flag` for token keys that are none */
  constructor(options: AdmissionOptions, ports: AdmissionPorts) {
    const { counts, log, addressOf, siteOf, now = millisecondsUp, today = Date.now } = ports;
    const { origins = '*', tokens, subjects = new MemorySubjects(), logsAddresses = false } = options;
    this.limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.refusals = new Refusals({ counts, log, now, logsAddresses });
    this.#addressOf = addressOf;
    this.#siteOf = siteOf;
    this.#now = now;
    this.#log = log;
    this.#origins = origins;
    this.#connects = options.connects ?? memoryLimiter(this.limits.connectsPerAddress);
    this.#door = tokens ? new TokenDoor(tokens, subjects, today) : null;
    this.#reports = new Reports(tokens ? REPORTING_SITES_NEEDED : REPORTING_SITES_NEEDED_WITHOUT_TOKENS);
    this.#paces = pacesOf(this.limits);
    this.#watch = new Watch({
      joinSeconds: this.limits.joinSeconds,
      bytes: this.#paces.bytes,
      packets: packetsOf(this.limits),
      now,
      today,
      cutOff: (visit, reason) => this.#cutOff(visit, reason),
    });
  }

  /** Connections now. */
  get connections(): number {
    return this.#watch.size;
  }

  /** Judges a handshake. @returns undefined: it is let in */
  async refusesHandshake(request: IncomingMessage): Promise<HandshakeRefusal | undefined> {
    try {
      return await this.#judge(request);
    } catch (error) {
      this.refusals.count('bad-handshake');
      this.#log?.error({ err: error }, 'a handshake could not be judged');
      return { status: '500 Internal Server Error', message: 'The server can not judge this handshake.' };
    }
  }

  async #judge(request: IncomingMessage): Promise<HandshakeRefusal | undefined> {
    const address = addressKey(this.#addressOf(request));
    if (!isAllowedOrigin(this.#origins, request)) {
      this.refusals.count('origin', { address });
      return { status: '403 Forbidden', message: 'Pages of this origin may not join here.' };
    }
    if (this.connections >= this.limits.connections * CONNECTIONS_MARGIN) {
      this.refusals.count('flooded', { address });
      return { status: '429 Too Many Requests', message: 'The server is full.', retryAfter: RETRY_WHEN_FULL_SECONDS };
    }
    const wait = await this.#connects.take(address).catch((error: unknown) => {
      debug('new connections are not counted: %o', error); // better too many than nobody
      return 0;
    });
    if (wait === 0) return undefined;
    this.refusals.count('connect-rate', { address });
    return {
      status: '429 Too Many Requests',
      message: `Too many new connections. Try again in ${wait} s.`,
      retryAfter: wait,
    };
  }

  /** A handshake that makes no sense, or comes too late. */
  badHandshake(request: IncomingMessage, isOfNoSession: boolean): void {
    const reason = isOfNoSession ? 'unknown-session' : 'bad-handshake';
    try {
      this.refusals.count(reason, { address: addressKey(this.#addressOf(request)) });
    } catch (error) {
      debug('a handshake has no address: %o', error); // nobody else would catch it
      this.refusals.count(reason);
    }
  }

  /** A connection begins. */
  enter(connection: EngineSocket): void {
    const from = this.#addressOf(connection.request);
    const address = addressKey(from);
    const site = this.#siteOf(from);
    const visit = new Visit(this, connection, { address, site, refusedFor: this.#whyFull(address, site) });
    setVisit(connection, visit);
    this.#addresses.add(address);
    this.#sites.add(site);
    this.#watch.enter(visit);
    connection.on('close', noteClose);
    connection.on('packet', notePacket);
  }

  #whyFull(address: string, site: SiteKey): RefusalReason | null {
    const { connections, connectionsPerAddress, connectionsPerSite } = this.limits;
    if (this.connections >= connections) return 'connections';
    if (this.#addresses.of(address) >= connectionsPerAddress) return 'connections-of-address';
    return this.#sites.of(site) >= connectionsPerSite ? 'connections-of-site' : null;
  }

  /** A socket.io client connects. @returns undefined: it may; else what it is told */
  refusesConnect(connection: EngineSocket): Refusal | undefined {
    const visit = visitOf(connection);
    if (visit === undefined) return refusal('shutting-down', 'The connection is gone.', 1);
    if (visit.refusedFor === null) return undefined;
    this.refusals.count(visit.refusedFor, visit);
    this.#watch.dismiss(visit);
    return refusal('full', 'The server, or what it allows one address or site, is full.', RETRY_WHEN_FULL_SECONDS);
  }

  /** To be asked before anything is done for a message but to read it. @param count of what it asks for; a message is one at least @returns undefined: it is not too fast */
  tooFast(visit: Visit | undefined, what: Exclude<Paced, 'bytes'>, count: number): Refusal | undefined {
    const pace = this.#paces[what];
    const wait = visit?.take(what, pace, this.#now(), Math.max(1, count)) ?? 0;
    if (wait === 0) return undefined;
    this.refusals.count(what, visit);
    return refusal(
      'too-fast',
      `Expected at most ${pace.burst} ${what} at once, and then one each ${Math.ceil(pace.interval)} ms.`,
      Math.ceil(wait / 1000),
    );
  }

  /** More waits for the directory than one session may have under way. */
  tooManyPending(visit: Visit | undefined): Refusal {
    this.refusals.count('pending', visit);
    return refusal(
      'too-fast',
      `Expected at most ${MAX_PENDING_REQUESTS} joins, claims and leaves under way. Await their answers.`,
      1,
    );
  }

  /** Its BeaconGate let none through. */
  tooManyBeacons(visit: Visit | undefined): Refusal {
    this.refusals.count('beacons', visit);
    return refusal('too-fast', 'One beacon a minute is enough.', BEACON_EVERY_MS / 1000);
  }

  /** Judges a join of this peer. */
  join(visit: Visit | undefined, peer: PeerId, request: JoinRequest): Awaitable<Admitted | Refusal> {
    if (visit === undefined) return refusal('shutting-down', 'The connection is gone.', 1);
    const badFor = this.#reports.badFor(peer, this.#now());
    if (badFor > 0) {
      this.refusals.count('reported', visit);
      return refusal('unauthorized', 'Several neighbours banned this peer.', Math.ceil(badFor / 1000));
    }
    if (this.#door) return this.#door.judge(visit, peer, request).then((verdict) => this.#admit(visit, verdict));
    this.#watch.joined(visit);
    return TO_ALL;
  }

  #admit(visit: Visit, verdict: TokenVerdict): Admitted | Refusal {
    if (verdict.ok) {
      this.#watch.joined(visit);
      return { ok: true, allows: (swarm) => covers(verdict.grant, swarm) };
    }
    const { reason, detail } = verdict;
    this.refusals.count(reason, { address: visit.address, ...(detail !== undefined && { detail }) });
    return refusalFor(reason);
  }

  /** May a signal be sent on this connection, or does its client not read what it gets? */
  canTake(connection: EngineSocket): boolean {
    if (waitingPackets(connection) < MAX_WAITING_PACKETS) return true;
    this.refusals.count('receiver-slow');
    return false;
  }

  /** A peer bans one that it was introduced to. @returns whether that one is put out now */
  report(visit: Visit, reporter: PeerId, reported: PeerId): boolean {
    const voice = visit.grant?.subject ?? reporter;
    const { site, address } = visit;
    const network = this.#door ? site : networkOf(address);
    return this.#reports.report(reported, { voice, site, network }, this.#now());
  }

  /** A connection has ended. */
  left(visit: Visit): void {
    this.#addresses.remove(visit.address);
    this.#sites.remove(visit.site);
    this.#watch.left(visit);
    this.#door?.left(visit);
  }

  /** A packet came, or a request of one that polls. */
  packet(visit: Visit): void {
    this.#watch.packet(visit);
  }

  /** Ends the timer. */
  close(): void {
    this.#watch.close();
  }

  /** One whose token has run out is no attacker. */
  #cutOff(visit: Visit, reason: RefusalReason): void {
    this.refusals.count(reason, visit);
    if (reason === 'expired-token') visit.connection.close();
    else terminate(visit.connection);
  }
}

/** Packets of one connection between two looks: twice what its rates let through meanwhile, and never fewer than the bursts need. */
const packetsOf = ({ joins, signals, claims }: AdmissionLimits): number =>
  Math.max(MAX_PACKETS_PER_SWEEP, (2 * SWEEP_MS * (joins + signals + claims)) / 1000);

/** In whole numbers, which take no memory of their own. */
const millisecondsUp = (): number => Math.trunc(performance.now());

/** Listeners of all connections; engine.io calls them with the connection as `this`. */
function notePacket(this: EngineSocket): void {
  const visit = visitOf(this);
  visit?.admission.packet(visit);
}

function noteClose(this: EngineSocket, reason?: string): void {
  const visit = visitOf(this);
  const refusedFor = reason === undefined ? undefined : ENDED_FOR.get(reason);
  if (refusedFor) visit?.admission.refusals.count(refusedFor, visit);
  visit?.admission.left(visit);
}

/** By why a connection ended; of one that polls engine.io says it in the same words. */
const ENDED_FOR: ReadonlyMap<string, RefusalReason> = new Map([
  [NO_PACKET, 'bad-packet'],
  [TOO_LONG, 'too-long'],
  [SILENT, 'silent'],
  [TOO_SLOW, 'slow-reader'],
]);

/** Why it was is for the log. */
function refusalFor(reason: RefusalReason): Refusal {
  if (reason === 'peers-of-subject')
    return refusal('full', 'This token is in use by as many peers as it is for.', RETRY_WHEN_FULL_SECONDS);
  return refusal(
    'unauthorized',
    'Expected a token that is valid now and opens these swarms. Get a new one from the server of the page: <p2p-mesh token="…">.',
    reason === 'token-keys-unreachable' ? RETRY_WITHOUT_KEYS_SECONDS : undefined,
  );
}
