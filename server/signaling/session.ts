/** One socket of one peer: parses what it sends, answers, and keeps directory, rooms and news in step with it. */
import createDebug from 'debug';
import type { PeerId, SwarmId } from '../../protocol/ids.ts';
import { MAX_SWARMS } from '../../protocol/limits.ts';
import type { Admitted } from '../admission/admission.ts';
import { Introductions } from '../admission/introductions.ts';
import { visitOf, type Visit } from '../admission/visit.ts';
import type {
  ClaimReply,
  Done,
  JoinReply,
  JoinRequest,
  Refusal,
  RefusalCode,
  Signal,
  SwarmView,
} from '../../protocol/signaling.ts';
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

const debug = createDebug('p2p:server:signaling');

type State =
  | { readonly kind: 'new' }
  | {
      readonly kind: 'joined';
      readonly peer: PeerId;
      readonly resume: string;
      readonly epoch: number;
      readonly swarms: Set<SwarmId>;
    }
  | { readonly kind: 'gone' };

const NOT_JOINED = refusal(
  'not-joined',
  'Join a swarm first; signals, claims and leaves are for peers that have an id, and a claim for a swarm that it is in.',
);

const DONE: Done = { ok: true };

const UNKNOWN_PEER = refusal(
  'unknown-peer',
  'No peer with this id that you were introduced to is connected now. It may have left; drop it.',
);

const SUPERSEDED = refusal('superseded', 'Another tab of this browser leads now. Use its engine.');

/** An unknown peer may just have left, a tab may not know yet that another leads, and a closing server is not the client's fault; admission has limits of its own. */
const NO_FAULT: readonly RefusalCode[] = [
  'unknown-peer',
  'superseded',
  'shutting-down',
  'unauthorized',
  'full',
  'too-fast',
];

export class Session implements PeerSession {
  readonly #socket: SignalingSocket;
  readonly #site: SiteKey;
  readonly #hub: Hub;
  /** Undefined: the connection is gone already. */
  readonly #visit: Visit | undefined;
  readonly introductions: Introductions;
  #state: State = { kind: 'new' };
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
    socket.on('join', (...args) => this.#answer(args, (message) => this.#tooFast('joins') ?? this.#join(message)));
    socket.on('leave', (...args) => this.#answer(args, (message) => this.#tooFast('joins') ?? this.#leave(message)));
    socket.on('signal', (...args) =>
      this.#answer(args, (message) => this.#tooFast('signals') ?? this.#signal(message)),
    );
    socket.on('claim', (...args) => this.#answer(args, (message) => this.#tooFast('claims') ?? this.#claim(message)));
    socket.on('report', (...args) =>
      this.#answer(args, (message) => this.#tooFast('reports') ?? this.#report(message)),
    );
    socket.onAny((event: string, ...args: unknown[]) => {
      if (['join', 'leave', 'signal', 'claim', 'report'].includes(event)) return;
      this.#answer(args, () =>
        refusal('bad-message', 'Expected one of the events "join", "signal", "claim", "leave" and "report".'),
      );
    });
    socket.once('disconnect', (reason) => {
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

  /** Calls a handler and sends what it says to the acknowledgement callback, if the client gave one. */
  #answer(args: unknown[], handle: (untrusted: unknown) => object | Promise<object>): void {
    const last = args.at(-1);
    const acknowledge = typeof last === 'function' ? (last as (reply: object) => void) : () => undefined;
    Promise.resolve(args[0] === last && typeof last === 'function' ? undefined : args[0])
      .then(handle)
      .catch((error: unknown) => {
        this.#hub.log?.error({ err: error }, 'a signaling message could not be answered');
        return refusal('shutting-down', 'The server cannot answer now. Try again.', 1);
      })
      .then((reply) => {
        acknowledge(reply);
        if (isRefusal(reply)) this.#count(reply);
      })
      .catch((error: unknown) => debug('acknowledging failed: %o', error));
  }

  /** Cuts off a client that does not stop. */
  #count(refused: Refusal): void {
    this.#hub.counters.refused++;
    this.#hub.admission.refusals.countCode(refused.code);
    if (NO_FAULT.includes(refused.code)) return;
    this.#hub.counters.badMessages++;
    this.#badMessages++;
    debug('bad message from %s: %s', this.peer, refused.message);
    if (this.#badMessages !== MAX_BAD_MESSAGES + 1) return; // once, though more may be on their way
    this.#hub.counters.cutOff++;
    this.#socket.disconnect(true);
  }

  async #join(untrusted: unknown): Promise<JoinReply | Refusal> {
    const parsed = parseJoin(untrusted);
    if (!parsed.ok) return parsed;
    if (this.#hub.isClosing) return refusal('shutting-down', 'The server is about to stop. Try again in a moment.', 1);
    if (this.#pending >= MAX_PENDING_REQUESTS) return tooManyPending();
    return this.#inTurn(async () => {
      const before = this.#state;
      if (before.kind === 'gone') return NOT_JOINED;
      const own = before.kind === 'joined' ? before.resume : newResume();
      const { resume = own } = parsed.value;
      if (before.kind === 'joined' && resume !== own) {
        return refusal('bad-message', 'This socket has joined as another peer already. Open a new one to resume.');
      }
      const admitted = await this.#hub.admission.join(this.#visit, peerIdOf(resume), parsed.value);
      if (!admitted.ok) return admitted;
      const asked = parsed.value.swarms.filter(admitted.allows);
      if (before.kind === 'new' && !(await this.#identify({ ...parsed.value, resume, swarms: asked })))
        return SUPERSEDED;
      const state = this.#state;
      if (state.kind !== 'joined') return NOT_JOINED;
      await this.#giveUp(state, admitted);
      const added = asked.filter((swarm) => !state.swarms.has(swarm));
      if (state.swarms.size + added.length > MAX_SWARMS) return tooManySwarms();
      const swarms = await Promise.all(asked.map((swarm) => this.#enter(swarm, state.peer, state.swarms)));
      return { ok: true, peer: state.peer, resume: state.resume, ...this.#hub.ice(state.peer), swarms };
    });
  }

  /** Takes the peer's id: a new one, or the one of its resume secret, also from another socket that still has it. False: that one is a newer leader's. */
  async #identify(request: JoinRequest & { readonly resume: string }): Promise<boolean> {
    const { resume } = request;
    const peer = peerIdOf(resume);
    const { sessions, directory } = this.#hub;
    const old = sessions.get(peer);
    const { epoch = 0 } = request;
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
    for (const swarm of before) if (!request.swarms.includes(swarm)) await directory.leave(swarm, peer);
    return true;
  }

  async #enter(swarm: SwarmId, peer: PeerId, swarms: Set<SwarmId>): Promise<SwarmView> {
    const view = await this.#hub.directory.join(swarm, peer, this.#site);
    for (const named of view.members) this.introductions.introduced(named);
    for (const named of view.others) this.introductions.introduced(named);
    if (swarms.has(swarm)) return view;
    swarms.add(swarm);
    await this.#socket.join(this.#hub.room(swarm, this.#site));
    this.#hub.news.joined(swarm, this.#site);
    return view;
  }

  /** Leaves the swarms that its token, a new one perhaps, does not open (any more). */
  async #giveUp({ peer, swarms }: Extract<State, { kind: 'joined' }>, { allows }: Admitted): Promise<void> {
    for (const swarm of swarms) if (!allows(swarm)) await this.#exit(swarm, peer, swarms);
  }

  async #exit(swarm: SwarmId, peer: PeerId, swarms: Set<SwarmId>): Promise<void> {
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
      const { peer, swarms } = this.#state;
      for (const swarm of parsed.value.swarms) await this.#exit(swarm, peer, swarms);
      return { ok: true };
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

  deliver(from: PeerId, site: SiteKey, signal: Signal): boolean {
    if (this.#state.kind !== 'joined' || !this.#hub.admission.canTake(this.#socket.conn)) return false;
    this.introductions.introduced(from);
    this.#socket.emit('signal', { from, sameSite: site === this.#site, signal });
    return true;
  }

  dismiss(): void {
    this.#socket.disconnect(true);
  }

  #signal(untrusted: unknown): Done | Refusal | Promise<Done | Refusal> {
    const parsed = parseSignal(untrusted);
    if (!parsed.ok) return parsed;
    const { to, signal } = parsed.value;
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

  #tooFast(what: Parameters<Hub['admission']['tooFast']>[1]): Refusal | undefined {
    return this.#hub.admission.tooFast(this.#visit, what);
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

const tooManyPending = (): Refusal =>
  refusal(
    'bad-message',
    `Await the answers: at most ${MAX_PENDING_REQUESTS} joins, claims and leaves may be under way.`,
  );

const isRefusal = (reply: object): reply is Refusal => 'ok' in reply && reply.ok === false;
