/** One socket of one peer: parses what it sends, answers, and keeps directory and news in step with it. */
import createDebug from 'debug';
import { chain, every, inOrder, settled, type Awaitable } from '../awaitable.ts';
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
import { identityOf, newIdentity, type Identity } from './identity.ts';
import { replyJSON, type Reply } from './reply-json.ts';
import type { Hub, PeerSession, SignalingSocket } from './hub.ts';
import type { ViewerGroup } from './observer.ts';
import {
  CANNOT_ANSWER,
  isRefusal,
  NO_FAULT,
  NOT_JOINED,
  SUPERSEDED,
  UNKNOWN_EVENT,
  UNKNOWN_PEER,
} from './session-refusals.ts';
import { acknowledge, eventPacket, takeEvents, type ClientEvent } from './transport/client-events.ts';
import { Turns } from './turns.ts';

const debug = createDebug('p2p:server:signaling');

interface Joined extends Identity {
  readonly kind: 'joined';
  readonly epoch: number;
  /** At most MAX_SWARMS. */
  readonly swarms: SwarmId[];
}

type State = { readonly kind: 'new' } | Joined | { readonly kind: 'gone' };

const DONE: Done = { ok: true };

const identityIn = ({ peer, resume }: Identity): Identity => ({ peer, resume });

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
  /** Another socket has, or is about to have, its peer. Nothing brings it back: two sessions that take from each other would wait for each other. */
  #isReplaced = false;
  /** Of joins, claims and leaves. */
  readonly #turns = new Turns();

  constructor(socket: SignalingSocket, site: SiteKey, hub: Hub) {
    this.#socket = socket;
    this.#site = site;
    this.#hub = hub;
    this.#visit = visitOf(socket.conn);
    this.introductions = this.#visit?.introductions ?? new Introductions();
    hub.open.add(this);
    takeEvents(socket, (event) => this.#answer(event));
    socket.once('disconnect', (reason: string) => {
      debug('%s disconnected: %s', this.peer, reason);
      // thousands may do so at once: with the directory in memory none needs a promise; one of somebody else's may throw
      const failed = (error: unknown): void => hub.log?.error({ err: error }, 'a peer could not leave the directory');
      void chain(
        settled(() => this.#turns.take(() => this.#leaveAll()), failed),
        () => hub.open.delete(this),
      );
    });
  }

  /** The peer's id, once it has joined. */
  get peer(): PeerId | undefined {
    return this.#state.kind === 'joined' ? this.#state.peer : undefined;
  }

  get epoch(): number {
    return this.#state.kind === 'joined' ? this.#state.epoch : 0;
  }

  idle(): Promise<void> {
    return this.#turns.idle();
  }

  /** The peer came back on another socket: this one gives up the peer's place, without giving it up in the directory. */
  handOver(): Awaitable<void> {
    this.#isReplaced = true;
    return this.#turns.take(() => {
      if (this.#state.kind !== 'joined') return;
      const { swarms } = this.#state;
      this.#state = { kind: 'gone' };
      for (const swarm of swarms) this.#hub.news.left(swarm, this.#site, this);
      this.#socket.disconnect(true);
    });
  }

  /** Calls the event's handler and sends what it says, if the client asked for it. */
  #answer(event: ClientEvent): void {
    // it has said goodbye, or was cut off
    if (!this.#socket.connected) {
      this.#socket.conn.close();
      return;
    }
    const fail = (error: unknown): void => {
      this.#hub.log?.error({ err: error }, 'a signaling message could not be answered');
      this.#reply(event, CANNOT_ANSWER);
    };
    try {
      // signals, of which there are most, and all that the memory can say, are answered at once and need no promise
      const reply = this.#handle(event);
      if (reply instanceof Promise) reply.then((later) => this.#reply(event, later)).catch(fail);
      else this.#reply(event, reply);
    } catch (error) {
      fail(error);
    }
  }

  #reply(event: ClientEvent, reply: Reply): void {
    acknowledge(this.#socket, event, () => replyJSON(reply));
    if (isRefusal(reply) && this.#socket.connected) this.#count(reply);
  }

  #handle({ name, untrusted }: ClientEvent): Awaitable<Reply> {
    switch (name) {
      case 'join':
        return this.#timedJoin(untrusted);
      case 'leave':
        return this.#leave(untrusted);
      case 'signal':
        return this.#tooFast('signals') ?? this.#signal(untrusted);
      case 'claim':
        return this.#claim(untrusted);
      case 'report':
        return this.#tooFast('reports') ?? this.#report(untrusted);
      case 'beacon':
        return this.#takeBeacon(untrusted);
      default:
        return UNKNOWN_EVENT;
    }
  }

  #tooFast(what: Exclude<Paced, 'bytes'>, count = 1): Refusal | undefined {
    return this.#hub.admission.tooFast(this.#visit, what, count);
  }

  /** In its turn, unless it comes too fast, or too many wait. @param count of what the message asks for */
  #inTurn<T>(what: 'joins' | 'claims', count: number, work: () => Awaitable<T>): Awaitable<T | Refusal> {
    const tooFast = this.#tooFast(what, count);
    if (tooFast) return tooFast;
    if (this.#turns.pending >= MAX_PENDING_REQUESTS) return this.#hub.admission.tooManyPending(this.#visit);
    return this.#turns.take(work);
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

  #timedJoin(untrusted: unknown): Awaitable<JoinReply | Refusal> {
    const startedAt = performance.now();
    return chain(this.#join(untrusted), (reply) => {
      if (reply.ok) this.#hub.observer.joined?.(reply.off ?? 'mesh', performance.now() - startedAt);
      return reply;
    });
  }

  #join(untrusted: unknown): Awaitable<JoinReply | Refusal> {
    const parsed = parseJoin(untrusted);
    if (!parsed.ok) return parsed;
    if (this.#hub.isClosing) return refusal('shutting-down', 'The server is about to stop. Try again in a moment.', 1);
    return this.#inTurn('joins', parsed.value.swarms.length, () => this.#joinNow(parsed.value));
  }

  #joinNow(request: JoinRequest): Awaitable<JoinReply | Refusal> {
    const before = this.#state;
    if (before.kind === 'gone' || this.#isReplaced) return NOT_JOINED;
    const { resume, lot } = request;
    if (before.kind === 'joined' && resume !== undefined && resume !== before.resume)
      return refusal('bad-message', 'This socket has joined as another peer already. Open a new one to resume.');
    const self =
      before.kind === 'joined' ? identityIn(before) : resume === undefined ? newIdentity() : identityOf(resume);
    return chain(this.#hub.admission.join(this.#visit, self.peer, request), (admitted) => {
      if (!admitted.ok) return admitted;
      const off = this.#hub.off({ peer: self.peer, lot });
      this.#group = off === 'holdout' ? off : 'mesh';
      if (off === undefined) return this.#enterAll(request, self, admitted);
      return chain(this.#stayOut(), () => ({ ok: true, ...self, iceServers: [], swarms: [], off }) as const);
    });
  }

  /** Enters the swarms that it asks for and may be in. */
  #enterAll(request: JoinRequest, self: Identity, { allows }: Admitted): Awaitable<JoinReply | Refusal> {
    const wanted = allows === null ? request.swarms : request.swarms.filter(allows);
    const isNamed = this.#state.kind === 'new' ? this.#identify(self, request.epoch ?? 0, wanted) : true;
    return chain(isNamed, (isOurs) => {
      if (!isOurs) return SUPERSEDED;
      const state = this.#state;
      if (state.kind !== 'joined') return NOT_JOINED;
      // what its token, a new one perhaps, does not open (any more)
      const shut = allows === null ? [] : state.swarms.filter((swarm) => !allows(swarm));
      return chain(this.#exitAll(shut, state), () => {
        const added = wanted.reduce((count, swarm) => count + (state.swarms.includes(swarm) ? 0 : 1), 0);
        if (state.swarms.length + added > MAX_SWARMS) return tooManySwarms();
        return chain(
          every(wanted.map((swarm) => this.#enter(swarm, state))),
          (swarms) => ({ ok: true, ...self, ...this.#hub.ice(self.peer), swarms }) as const,
        );
      });
    });
  }

  /** It takes no part, or none any more: it is in no swarm, and nobody reaches it. It may join again, and its beacons count. */
  #stayOut(): Awaitable<void> {
    if (this.#state.kind !== 'joined') return;
    return chain(this.#leaveAll(), () => {
      if (!this.#isReplaced) this.#state = { kind: 'new' };
    });
  }

  /** Takes the peer's id, also from another socket that still has it. False: that one is a newer leader's. */
  #identify({ peer, resume }: Identity, epoch: number, swarms: readonly SwarmId[]): Awaitable<boolean> {
    const { sessions, directory } = this.#hub;
    const old = sessions.get(peer);
    if (old && old.epoch > epoch) return false;
    sessions.set(peer, this);
    this.#state = { kind: 'joined', peer, resume, epoch, swarms: [] };
    return chain(old?.handOver(), () =>
      chain(directory.enter(peer, epoch), (before) => {
        if (before !== 'superseded') {
          const unwanted = before.filter((swarm) => !swarms.includes(swarm));
          const left = inOrder(unwanted, (swarm) => directory.leave(swarm, peer));
          return chain(left, () => true);
        }
        this.#state = { kind: 'gone' };
        if (sessions.get(peer) === this) sessions.delete(peer);
        return false;
      }),
    );
  }

  #enter(swarm: SwarmId, { peer, swarms }: Joined): Awaitable<SwarmView> {
    return chain(this.#hub.directory.join(swarm, peer, this.#site), (view) => {
      this.introductions.allIntroduced(view.members, view.others);
      if (swarms.includes(swarm)) return view;
      swarms.push(swarm);
      this.#hub.news.joined(swarm, this.#site, this);
      return view;
    });
  }

  #exitAll(swarms: readonly SwarmId[], state: Joined): Awaitable<void> {
    return inOrder(swarms, (swarm) => this.#exit(swarm, state));
  }

  #exit(swarm: SwarmId, { peer, swarms }: Joined): Awaitable<void> {
    const place = swarms.indexOf(swarm);
    if (place < 0) return;
    swarms.splice(place, 1);
    return chain(this.#hub.directory.leave(swarm, peer), () => this.#hub.news.left(swarm, this.#site, this));
  }

  #leave(untrusted: unknown): Awaitable<Done | Refusal> {
    const parsed = parseLeave(untrusted);
    if (!parsed.ok) return parsed;
    const { swarms } = parsed.value;
    return this.#inTurn('joins', 1, () =>
      this.#state.kind === 'joined' ? chain(this.#exitAll(swarms, this.#state), () => DONE) : NOT_JOINED,
    );
  }

  #claim(untrusted: unknown): Awaitable<ClaimReply | Refusal> {
    const parsed = parseClaim(untrusted);
    if (!parsed.ok) return parsed;
    const { swarm, digest, instead, quiet } = parsed.value;
    return this.#inTurn('claims', 1, () => {
      const { peer } = this;
      if (peer === undefined) return NOT_JOINED;
      if (this.#isReplaced || !this.#socket.connected) return SUPERSEDED; // whoever ends it waits for us
      return chain(this.#hub.directory.claim(swarm, peer, digest, instead, quiet), (claim) => {
        if (claim === undefined) return NOT_JOINED;
        // who hears nothing of the crosser connects to it
        if (claim.crosser !== peer) this.introductions.introduced(claim.crosser);
        return { ok: true, ...claim } as const;
      });
    });
  }

  deliver(from: PeerId, site: SiteKey, signal: string): boolean {
    if (this.#state.kind !== 'joined' || !this.#hub.admission.canTake(this.#socket.conn)) return false;
    this.introductions.introduced(from);
    // what `emit` would make, without another look at all that is in it
    this.#socket.conn.write(
      eventPacket('signal', `{"from":"${from}","sameSite":${site === this.#site},"signal":${signal}}`),
    );
    return true;
  }

  tell(packet: string): void {
    this.#socket.conn.write(packet);
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
    if (believed === undefined) return this.#hub.admission.tooManyBeacons(this.#visit);
    this.#hub.observer.beacon?.(believed.beacon, this.#group, believed.isClamped);
    return DONE;
  }

  #leaveAll(): Awaitable<void> {
    const state = this.#state;
    this.#state = { kind: 'gone' };
    if (state.kind !== 'joined') return;
    const { peer, swarms } = state;
    // a session that is about to take the peer over keeps its place in line
    const isTakenOver = this.#hub.sessions.get(peer) !== this;
    if (!isTakenOver) this.#hub.sessions.delete(peer);
    return chain(isTakenOver ? undefined : this.#hub.directory.leaveAll(peer), () => {
      for (const swarm of swarms) this.#hub.news.left(swarm, this.#site, this);
    });
  }
}
