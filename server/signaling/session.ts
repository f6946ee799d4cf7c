/** One socket of one peer: parses what it sends, answers, and keeps directory, rooms and news in step with it. */
import createDebug from 'debug';
import type { PeerId, SwarmId } from '../../protocol/ids.ts';
import { MAX_SWARMS } from '../../protocol/limits.ts';
import type { ClaimReply, Done, JoinReply, JoinRequest, Refusal, Signal, SwarmView } from '../../protocol/signaling.ts';
import { MAX_BAD_MESSAGES, MAX_PENDING_REQUESTS } from '../limits.ts';
import type { SiteKey } from '../site.ts';
import { parseClaim, parseJoin, parseLeave, parseSignal, refusal, tooManySwarms } from './client-message.ts';
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

const UNKNOWN_PEER = refusal('unknown-peer', 'No peer with this id is connected now. It may have left; drop it.');

const SUPERSEDED = refusal('superseded', 'Another tab of this browser leads now. Use its engine.');

export class Session implements PeerSession {
  readonly #socket: SignalingSocket;
  readonly #site: SiteKey;
  readonly #hub: Hub;
  #state: State = { kind: 'new' };
  #badMessages = 0;
  /** Joins, claims and leaves run one after the other; this is the last of them. */
  #last: Promise<unknown> = Promise.resolve();
  #pending = 0;

  constructor(socket: SignalingSocket, site: SiteKey, hub: Hub) {
    this.#socket = socket;
    this.#site = site;
    this.#hub = hub;
    socket.on('join', (...args) => this.#answer(args, (message) => this.#join(message)));
    socket.on('leave', (...args) => this.#answer(args, (message) => this.#leave(message)));
    socket.on('signal', (...args) => this.#answer(args, (message) => this.#signal(message)));
    socket.on('claim', (...args) => this.#answer(args, (message) => this.#claim(message)));
    socket.onAny((event: string, ...args: unknown[]) => {
      if (['join', 'leave', 'signal', 'claim'].includes(event)) return;
      this.#answer(args, () =>
        refusal('bad-message', 'Expected one of the events "join", "signal", "claim" and "leave".'),
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

  /** Cuts off a client that does not stop. An unknown peer may just have left, a tab may not know yet that another leads, and a closing server is not the client's fault. */
  #count(refused: Refusal): void {
    this.#hub.counters.refused++;
    if (['unknown-peer', 'superseded', 'shutting-down'].includes(refused.code)) return;
    this.#hub.counters.badMessages++;
    this.#badMessages++;
    debug('bad message from %s: %s', this.peer, refused.message);
    if (this.#badMessages <= MAX_BAD_MESSAGES) return;
    this.#hub.counters.cutOff++;
    this.#socket.disconnect(true);
  }

  async #join(untrusted: unknown): Promise<JoinReply | Refusal> {
    const parsed = parseJoin(untrusted);
    if (!parsed.ok) return parsed;
    if (this.#hub.isClosing) return refusal('shutting-down', 'The server is about to stop. Try again in a moment.', 1);
    if (this.#pending >= MAX_PENDING_REQUESTS) return tooManyPending();
    return this.#inTurn(async () => {
      if (this.#state.kind === 'new' && !(await this.#identify(parsed.value))) return SUPERSEDED;
      const state = this.#state;
      if (state.kind !== 'joined') return NOT_JOINED;
      if (parsed.value.resume !== undefined && parsed.value.resume !== state.resume) {
        return refusal('bad-message', 'This socket has joined as another peer already. Open a new one to resume.');
      }
      const { swarms } = parsed.value;
      const added = swarms.filter((swarm) => !state.swarms.has(swarm));
      if (state.swarms.size + added.length > MAX_SWARMS) return tooManySwarms();
      const views = await Promise.all(swarms.map((swarm) => this.#enter(swarm, state.peer, state.swarms)));
      return { ok: true, peer: state.peer, resume: state.resume, iceServers: this.#hub.iceServers, swarms: views };
    });
  }

  /** Takes the peer's id: a new one, or the one of its resume secret, also from another socket that still has it. False: that one is a newer leader's. */
  async #identify(request: JoinRequest): Promise<boolean> {
    const resume = request.resume ?? newResume();
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
    if (swarms.has(swarm)) return view;
    swarms.add(swarm);
    await this.#socket.join(this.#hub.room(swarm, this.#site));
    this.#hub.news.joined(swarm, this.#site);
    return view;
  }

  async #leave(untrusted: unknown): Promise<Done | Refusal> {
    const parsed = parseLeave(untrusted);
    if (!parsed.ok) return parsed;
    if (this.#pending >= MAX_PENDING_REQUESTS) return tooManyPending();
    return this.#inTurn(async () => {
      if (this.#state.kind !== 'joined') return NOT_JOINED;
      const { peer, swarms } = this.#state;
      for (const swarm of parsed.value.swarms) {
        if (!swarms.delete(swarm)) continue;
        await this.#hub.directory.leave(swarm, peer);
        await this.#socket.leave(this.#hub.room(swarm, this.#site));
        this.#hub.news.left(swarm, this.#site);
      }
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
      return claim === undefined ? NOT_JOINED : { ok: true, ...claim };
    });
  }

  deliver(from: PeerId, site: SiteKey, signal: Signal): boolean {
    if (this.#state.kind !== 'joined') return false;
    this.#socket.emit('signal', { from, sameSite: site === this.#site, signal });
    return true;
  }

  #signal(untrusted: unknown): Done | Refusal | Promise<Done | Refusal> {
    const parsed = parseSignal(untrusted);
    if (!parsed.ok) return parsed;
    const { to, signal } = parsed.value;
    const from = this.peer;
    if (from === undefined) return NOT_JOINED;
    const { sessions, others, counters } = this.#hub;
    if (to === from) return UNKNOWN_PEER;
    const here = sessions.get(to);
    if (here !== undefined || others === undefined) {
      if (here?.deliver(from, this.#site, signal) !== true) return UNKNOWN_PEER;
      counters.relayed++;
      return DONE;
    }
    return others.signal({ to, from, site: this.#site, signal }).then((isThere) => {
      if (!isThere) return UNKNOWN_PEER;
      counters.relayed++;
      return DONE;
    });
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
