/** One socket of one peer: parses what it sends, answers, and keeps directory, rooms and news in step with it. */
import createDebug from 'debug';
import type { PeerId, SwarmId } from '../../protocol/ids.ts';
import { MAX_SWARMS } from '../../protocol/limits.ts';
import type { ClaimReply, Done, JoinReply, JoinRequest, Refusal, SwarmView } from '../../protocol/signaling.ts';
import type { Admitted } from '../admission/admission.ts';
import { Introductions } from '../admission/introductions.ts';
import type { Paced } from '../admission/pace.ts';
import { visitOf, type Visit } from '../admission/visit.ts';
import { BeaconGate } from '../beacons/beacon-gate.ts';
import { parseBeacon } from '../beacons/parse-beacon.ts';
import { MAX_BAD_MESSAGES, MAX_PENDING_REQUESTS } from '../limits.ts';
import type { SiteKey } from '../site.ts';
import {
  parseClaim,
  parseJoin,
  parseLeave,
  parseReport,
  parseSignal,
  refusal,
  tooManySwarms,
} from './client-message.ts';
import { newResume, peerIdOf } from './identity.ts';
import type { Hub, PeerSession, SignalingSocket } from './hub.ts';
import type { ViewerGroup } from './observer.ts';
import {
  CANNOT_ANSWER,
  isRefusal,
  NO_FAULT,
  NOT_JOINED,
  SUPERSEDED,
  TOO_MANY_BEACONS,
  tooManyPending,
  UNKNOWN_EVENT,
  UNKNOWN_PEER,
} from './session-refusals.ts';
import { TOO_SLOW } from './transport/web-socket-connection.ts';

const debug = createDebug('p2p:server:signaling');

interface Joined {
  readonly kind: 'joined';
  readonly peer: PeerId;
  readonly resume: string;
  readonly epoch: number;
  readonly swarms: Set<SwarmId>;
}

type State = { readonly kind: 'new' } | Joined | { readonly kind: 'gone' };

/** A join whose secret is settled: its own, or a new one. */
type ResumedJoin = JoinRequest & { readonly resume: string };

const DONE: Done = { ok: true };

export class Session implements PeerSession {
  readonly #socket: SignalingSocket;
  readonly #site: SiteKey;
  readonly #hub: Hub;
  /** Undefined: the connection is gone already. */
  readonly #visit: Visit | undefined;
  readonly introductions: Introductions;
  readonly #since = Math.trunc(performance.now());
  #state: State = { kind: 'new' };
  /** Settled by the first join. */
  #group: ViewerGroup | undefined;
  #beacons: BeaconGate | undefined;
  #badMessages = 0;
  /** Joins, claims and leaves run one after the other; this is the last of them. */
  #last: Promise<unknown> = Promise.resolve();
  #pending = 0;

  constructor(socket: SignalingSocket, site: SiteKey, hub: Hub) {
    this.#socket = socket;
    this.#site = site;
    this.#hub = hub;
    this.#visit = visitOf(socket.conn);
    this.introductions = this.#visit?.introductions ?? new Introductions();
    // one listener instead of one for each event: there are as many of them as peers
    socket.onAny((event: string, ...args: unknown[]) => this.#answer(event, args));
    socket.once('disconnect', (reason: string) => {
      if (reason === TOO_SLOW) hub.admission.refusals.count('slow-reader', this.#visit);
      debug('%s disconnected: %s', this.peer, reason);
      void this.#inTurn(() => this.#leaveAll());
    });
  }

  /** The peer's id, once it has joined. */
  get peer(): PeerId | undefined {
    return this.#state.kind === 'joined' ? this.#state.peer : undefined;
  }

  get epoch(): number {
    return this.#state.kind === 'joined' ? this.#state.epoch : 0;
  }

  /** Resolves when all that was begun is in the directory. */
  async idle(): Promise<void> {
    await this.#last;
  }

  /** The peer came back on another socket: this one gives up the peer's place, without giving it up in the directory. */
  handOver(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#state.kind !== 'joined') return;
      const { swarms } = this.#state;
      this.#state = { kind: 'gone' };
      for (const swarm of swarms) this.#hub.news.left(swarm, this.#site);
      this.#socket.disconnect(true);
    });
  }

  /** Calls the event's handler and sends what it says to the acknowledgement callback, if the client gave one. */
  #answer(event: string, args: unknown[]): void {
    // what was under way when it was cut off
    if (!this.#socket.connected) return;
    const last = args.at(-1);
    const acknowledge = typeof last === 'function' ? (last as (reply: object) => void) : () => undefined;
    const untrusted = args[0] === last && typeof last === 'function' ? undefined : args[0];
    const done = (reply: object): void => {
      acknowledge(reply);
      if (isRefusal(reply)) this.#count(reply);
    };
    const fail = (error: unknown): void => {
      this.#hub.log?.error({ err: error }, 'a signaling message could not be answered');
      done(CANNOT_ANSWER);
    };
    try {
      // signals, of which there are most, are answered at once and need no promise
      const reply = this.#handle(event, untrusted);
      if (reply instanceof Promise) reply.then(done).catch(fail);
      else done(reply);
    } catch (error) {
      fail(error);
    }
  }

  #handle(event: string, untrusted: unknown): object | Promise<object> {
    switch (event) {
      case 'join':
        return this.#tooFast('joins') ?? this.#timedJoin(untrusted);
      case 'leave':
        return this.#tooFast('joins') ?? this.#leave(untrusted);
      case 'signal':
        return this.#tooFast('signals') ?? this.#signal(untrusted);
      case 'claim':
        return this.#tooFast('claims') ?? this.#claim(untrusted);
      case 'report':
        return this.#tooFast('reports') ?? this.#report(untrusted);
      case 'beacon':
        return this.#takeBeacon(untrusted);
      default:
        return UNKNOWN_EVENT;
    }
  }

  #tooFast(what: Exclude<Paced, 'bytes'>): Refusal | undefined {
    return this.#hub.admission.tooFast(this.#visit, what);
  }

  /** Cuts off a client that does not stop. */
  #count(refused: Refusal): void {
    this.#hub.counters.refused++;
    this.#hub.admission.refusals.countCode(refused.code, this.#visit);
    this.#hub.observer.refused?.(refused.code);
    if (NO_FAULT.includes(refused.code)) return;
    this.#hub.counters.badMessages++;
    this.#badMessages++;
    debug('bad message from %s: %s', this.peer, refused.message);
    if (this.#badMessages <= MAX_BAD_MESSAGES) return;
    this.#hub.counters.cutOff++;
    this.#socket.disconnect(true);
  }

  async #timedJoin(untrusted: unknown): Promise<JoinReply | Refusal> {
    const startedAt = performance.now();
    const reply = await this.#join(untrusted);
    if (reply.ok) this.#hub.observer.joined?.(reply.off ?? 'mesh', performance.now() - startedAt);
    return reply;
  }

  async #join(untrusted: unknown): Promise<JoinReply | Refusal> {
    const parsed = parseJoin(untrusted);
    if (!parsed.ok) return parsed;
    if (this.#hub.isClosing) return refusal('shutting-down', 'The server is about to stop. Try again in a moment.', 1);
    if (this.#pending >= MAX_PENDING_REQUESTS) return tooManyPending();
    return this.#inTurn(async () => {
      const before = this.#state;
      if (before.kind === 'gone') return NOT_JOINED;
      const { resume = before.kind === 'joined' ? before.resume : newResume() } = parsed.value;
      if (before.kind === 'joined' && resume !== before.resume)
        return refusal('bad-message', 'This socket has joined as another peer already. Open a new one to resume.');
      const peer = peerIdOf(resume);
      const admitted = await this.#hub.admission.join(this.#visit, peer, parsed.value);
      if (!admitted.ok) return admitted;
      const off = this.#hub.off({ peer, lot: parsed.value.lot });
      this.#group = off === 'holdout' ? off : 'mesh';
      if (off !== undefined) {
        await this.#stayOut();
        return { ok: true, peer, resume, iceServers: [], swarms: [], off };
      }
      return this.#enterAll({ ...parsed.value, resume, swarms: parsed.value.swarms.filter(admitted.allows) }, admitted);
    });
  }

  /** Enters the swarms that it asks for and may be in. */
  async #enterAll(request: ResumedJoin, admitted: Admitted): Promise<JoinReply | Refusal> {
    if (this.#state.kind === 'new' && !(await this.#identify(request))) return SUPERSEDED;
    const state = this.#state;
    if (state.kind !== 'joined') return NOT_JOINED;
    // what its token, a new one perhaps, does not open (any more)
    for (const swarm of state.swarms) if (!admitted.allows(swarm)) await this.#exit(swarm, state);
    const added = request.swarms.filter((swarm) => !state.swarms.has(swarm));
    if (state.swarms.size + added.length > MAX_SWARMS) return tooManySwarms();
    const swarms = await Promise.all(request.swarms.map((swarm) => this.#enter(swarm, state)));
    return { ok: true, peer: state.peer, resume: state.resume, ...this.#hub.ice(state.peer), swarms };
  }

  /** It takes no part, or none any more: it is in no swarm, and nobody reaches it. It may join again, and its beacons count. */
  async #stayOut(): Promise<void> {
    if (this.#state.kind !== 'joined') return;
    for (const swarm of this.#state.swarms) await this.#socket.leave(this.#hub.room(swarm, this.#site));
    await this.#leaveAll();
    this.#state = { kind: 'new' };
  }

  /** Takes the peer's id, also from another socket that still has it. False: that one is a newer leader's. */
  async #identify({ resume, epoch = 0, swarms }: ResumedJoin): Promise<boolean> {
    const peer = peerIdOf(resume);
    const { sessions, directory } = this.#hub;
    const old = sessions.get(peer);
    if (old && old.epoch > epoch) return false;
    sessions.set(peer, this);
    this.#state = { kind: 'joined', peer, resume, epoch, swarms: new Set() };
    await old?.handOver();
    const before = await directory.enter(peer, epoch);
    if (before === 'superseded') {
      this.#state = { kind: 'gone' };
      if (sessions.get(peer) === this) sessions.delete(peer);
      return false;
    }
    for (const swarm of before) if (!swarms.includes(swarm)) await directory.leave(swarm, peer);
    return true;
  }

  async #enter(swarm: SwarmId, { peer, swarms }: Joined): Promise<SwarmView> {
    const view = await this.#hub.directory.join(swarm, peer, this.#site);
    for (const named of view.members) this.introductions.introduced(named);
    for (const named of view.others) this.introductions.introduced(named);
    if (swarms.has(swarm)) return view;
    swarms.add(swarm);
    await this.#socket.join(this.#hub.room(swarm, this.#site));
    this.#hub.news.joined(swarm, this.#site);
    return view;
  }

  async #exit(swarm: SwarmId, { peer, swarms }: Joined): Promise<void> {
    if (!swarms.delete(swarm)) return;
    await this.#hub.directory.leave(swarm, peer);
    await this.#socket.leave(this.#hub.room(swarm, this.#site));
    this.#hub.news.left(swarm, this.#site);
  }

  async #leave(untrusted: unknown): Promise<Done | Refusal> {
    const parsed = parseLeave(untrusted);
    if (!parsed.ok) return parsed;
    if (this.#pending >= MAX_PENDING_REQUESTS) return tooManyPending();
    return this.#inTurn(async () => {
      if (this.#state.kind !== 'joined') return NOT_JOINED;
      for (const swarm of parsed.value.swarms) await this.#exit(swarm, this.#state);
      return DONE;
    });
  }

  async #claim(untrusted: unknown): Promise<ClaimReply | Refusal> {
    const parsed = parseClaim(untrusted);
    if (!parsed.ok) return parsed;
    if (this.#pending >= MAX_PENDING_REQUESTS) return tooManyPending();
    return this.#inTurn(async () => {
      const { swarm, digest, instead } = parsed.value;
      const peer = this.peer;
      if (peer === undefined) return NOT_JOINED;
      const claim = await this.#hub.directory.claim(swarm, peer, digest, instead);
      if (claim === undefined) return NOT_JOINED;
      // who hears nothing of the crosser connects to it
      if (claim.crosser !== peer) this.introductions.introduced(claim.crosser);
      return { ok: true, ...claim };
    });
  }

  deliver(from: PeerId, site: SiteKey, signal: string): boolean {
    if (this.#state.kind !== 'joined' || !this.#hub.admission.canTake(this.#socket.conn)) return false;
    this.introductions.introduced(from);
    // the packet that `emit` would make (Socket.IO 5: type 2, an event), without another look at all that is in it
    this.#socket.conn.write(`2["signal",{"from":"${from}","sameSite":${site === this.#site},"signal":${signal}}]`);
    return true;
  }

  dismiss(): void {
    this.#socket.disconnect(true);
  }

  #signal(untrusted: unknown): Done | Refusal | Promise<Done | Refusal> {
    const parsed = parseSignal(untrusted);
    if (!parsed.ok) return parsed;
    const { to } = parsed.value;
    const signal = JSON.stringify(parsed.value.signal);
    const from = this.peer;
    if (from === undefined) return NOT_JOINED;
    const { sessions, others } = this.#hub;
    const here = to === from ? undefined : sessions.get(to);
    const isIntroduced = this.introductions.mayReach(to) || here?.introductions.mayReach(from) === true;
    if (here !== undefined)
      return isIntroduced ? this.#relayed(here.deliver(from, this.#site, signal)) : this.#notIntroduced();
    if (to === from || others === undefined) return UNKNOWN_PEER;
    if (!isIntroduced) return this.#notIntroduced();
    return others.signal({ to, from, site: this.#site, signal }).then((isThere) => this.#relayed(isThere));
  }

  #relayed(isThere: boolean): Done | Refusal {
    if (!isThere) return UNKNOWN_PEER;
    this.#hub.counters.relayed++;
    return DONE;
  }

  #report(untrusted: unknown): Done | Refusal {
    const parsed = parseReport(untrusted);
    if (!parsed.ok) return parsed;
    const { peer } = this;
    const reported = parsed.value.peer;
    if (peer === undefined || this.#visit === undefined) return NOT_JOINED;
    if (!this.introductions.mayReach(reported)) return this.#notIntroduced();
    const isPutOut = this.#hub.admission.report(this.#visit, peer, reported);
    if (isPutOut) this.#hub.sessions.get(reported)?.dismiss();
    return DONE;
  }

  /** Told as if nobody were there. */
  #notIntroduced(): Refusal {
    this.#hub.admission.refusals.count('not-introduced', this.#visit);
    return UNKNOWN_PEER;
  }

  #takeBeacon(untrusted: unknown): Done | Refusal {
    const parsed = parseBeacon(untrusted);
    if (!parsed.ok) return parsed;
    if (this.#group === undefined) return NOT_JOINED;
    this.#beacons ??= new BeaconGate(this.#since);
    const believed = this.#beacons.take(parsed.value, performance.now());
    if (believed === undefined) return TOO_MANY_BEACONS;
    this.#hub.observer.beacon?.(believed.beacon, this.#group, believed.isClamped);
    return DONE;
  }

  async #leaveAll(): Promise<void> {
    const state = this.#state;
    this.#state = { kind: 'gone' };
    if (state.kind !== 'joined') return;
    const { peer, swarms } = state;
    // a session that is about to take the peer over keeps its place in line
    const isTakenOver = this.#hub.sessions.get(peer) !== this;
    if (!isTakenOver) {
      this.#hub.sessions.delete(peer);
      await this.#hub.directory.leaveAll(peer);
    }
    for (const swarm of swarms) this.#hub.news.left(swarm, this.#site);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    this.#pending++;
    const done = this.#last.then(work).finally(() => this.#pending--);
    this.#last = done.catch((error: unknown) => debug('%s: %o', this.peer, error));
    return done;
  }
}
