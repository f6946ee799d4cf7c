/** Who crosses the line for our site: tells each transfer when its turn is, asks server and keeper, and measures the line. Owned by the Engine. */
import type { Digest, PeerId, SwarmId } from '../../protocol/ids.ts';
import { MAX_CLAIMS, MAX_NEIGHBOURS } from '../../protocol/limits.ts';
import {
  amongSites,
  crossAt,
  drawOf,
  isSettled,
  originAt,
  promisePatience,
  type Claim,
  type CrossingView,
  type Promised,
  type PromiseWord,
  type Rank,
  type Sizes,
} from '../core/crossing.ts';
import {
  CLAIM_ROUNDS,
  CLAIMS_FOR_MS,
  COMPANY_FRESH_MS,
  HEAR_MS,
  HEEDLESS_MS,
  MAX_CONNECTIONS,
  MAX_PROMISES,
  MEETINGS_PER_CLAIM,
} from '../core/limits.ts';
import { LineMeter } from '../core/line-meter.ts';
import type { Clock } from '../core/ports.ts';
import { waitUntil } from '../core/start-gate.ts';
import type { Changes } from './changes.ts';
import type { Membership } from './membership.ts';
import type { Neighbour } from './neighbour.ts';
import type { Neighbours } from './neighbours.ts';
import type { Wanted } from './wanted.ts';

export interface CrossingsPorts {
  readonly clock: Clock;
  readonly changes: Changes;
  readonly membership: Membership;
  readonly neighbours: Neighbours;
}

export class Crossings {
  readonly ports: CrossingsPorts;
  readonly #meter = new LineMeter();
  /** Claims that were made in each swarm. */
  readonly #claims = new Map<SwarmId, number>();

  constructor(ports: CrossingsPorts) {
    this.ports = ports;
  }

  /** Bytes per second that the line carries; 0: not known. */
  get lineRate(): number {
    return this.#meter.fastest.ofAll;
  }

  turn(wanted: Wanted): Turn {
    return new Turn(this, wanted);
  }

  /** A neighbour of our site says what it measured of the line, bytes per second; 0: nothing. */
  heard(lineRate: number): void {
    this.#meter.heard(this.ports.clock.now(), lineRate);
  }

  /** The same, to be said by us. */
  get measuredRate(): number {
    return this.#meter.fastest.ours;
  }

  /** Something crosses from now on; to be called when it ends. */
  begin(): () => void {
    const { clock } = this.ports;
    this.#meter.begin(clock.now());
    return () => this.#meter.end(clock.now());
  }

  count(bytes: number): void {
    this.#meter.count(bytes);
  }

  /** Is there anybody in this swarm to hand anything to? */
  hasCompany(swarm: SwarmId): boolean {
    const { siteSize, sites } = this.sizes(swarm);
    return siteSize > 1 || sites > 1;
  }

  /** As the server said, or as we see: its news come later than a newcomer's channel. */
  sizes(swarm: SwarmId): Sizes {
    const state = this.ports.membership.stateOf(swarm);
    const { ofSite, outside } = this.ports.neighbours.count(swarm);
    return {
      siteSize: Math.max(state?.siteSize ?? 1, 1 + ofSite),
      sites: Math.max(state?.sites ?? 1, outside > 0 ? 2 : 1),
      outside,
    };
  }

  /** Our place in the line of those who cross, those who are gone or do not move left out. */
  rank(swarm: SwarmId): Rank {
    const { membership } = this.ports;
    const state = membership.stateOf(swarm);
    if (!state) return null;
    const line = [state.keeper, ...state.next].filter(
      (peer) => peer === membership.peer || this.#crosses(peer, state.siteSize),
    );
    const place = line.indexOf(membership.peer ?? ('' as PeerId));
    return place < 0 ? null : place;
  }

  /** The neighbour whose turn it is before ours, if it is one. */
  keeper(swarm: SwarmId): Neighbour | undefined {
    const state = this.ports.membership.stateOf(swarm);
    for (const peer of state ? [state.keeper, ...state.next] : []) {
      if (peer === this.ports.membership.peer) return undefined;
      const neighbour = this.ports.neighbours.get(peer);
      if (neighbour?.open === true && this.#isHeedful(neighbour)) return neighbour;
    }
    return undefined;
  }

  /** True as long as the swarm may ask the server. */
  takeClaim(swarm: SwarmId): boolean {
    const { membership, clock } = this.ports;
    const made = this.#claims.get(swarm) ?? 0;
    if (made >= MAX_CLAIMS || clock.now() - membership.joinedAt(swarm) >= CLAIMS_FOR_MS) return false;
    this.#claims.set(swarm, made + 1);
    return true;
  }

  /** We have what we could not claim before, for it had no name then: who comes now waits for our channel. */
  crossed(swarm: SwarmId, digest: Digest): void {
    if (this.takeClaim(swarm)) void this.ports.membership.claim(swarm, digest, null);
  }

  /** The server named somebody that we never heard of: this network keeps its clients apart, or the server is of no help. */
  noMoreClaims(swarm: SwarmId): void {
    this.#claims.set(swarm, MAX_CLAIMS);
  }

  /** In a small site whoever can be reached is a neighbour; in a large one we can't know. */
  #crosses(peer: PeerId, siteSize: number): boolean {
    const neighbour = this.ports.neighbours.get(peer);
    if (neighbour?.open === true) return this.#isHeedful(neighbour);
    return siteSize > MAX_NEIGHBOURS;
  }

  #isHeedful(neighbour: Neighbour): boolean {
    return !neighbour.paused && neighbour.heedlessUntil <= this.ports.clock.now();
  }
}

/** One transfer's turn to cross. */
export class Turn {
  readonly #crossings: Crossings;
  readonly #wanted: Wanted;
  #askedAt: number;
  #claim: Claim | null = null;
  #crosser: PeerId | null = null;
  #rounds = 0;
  /** Do we cross without having the server's answer? */
  #guessed = false;
  /** The keeper that we asked. */
  #asked: Neighbour | null = null;
  /** The latest who said that it will bring it, and is believed for a while. */
  #promise: (Promised & { readonly by: Neighbour }) | null = null;
  #promises = 0;
  #fruitless = 0;
  #withdrawals = 0;

  constructor(crossings: Crossings, wanted: Wanted) {
    this.#crossings = crossings;
    this.#wanted = wanted;
    this.#askedAt = crossings.ports.clock.now();
  }

  /** From when on we may cross, on the clock, if nobody else is heard of; asks server and keeper on the way. */
  mayCrossAt(): number {
    const { membership, clock } = this.#crossings.ports;
    const { swarm, startedAt } = this.#wanted;
    const gate = waitUntil(membership.view(swarm), startedAt);
    if (!membership.stateOf(swarm)) return gate;
    this.#claim ??= this.#ask(null);
    if (this.#claim.kind === 'theirs' && clock.now() >= crossAt(this.#view(gate))) {
      if (this.#crosser === null || this.#crossings.ports.neighbours.get(this.#crosser)?.open !== true)
        this.#crossings.noMoreClaims(swarm);
      this.#claim = this.#ask(this.#crosser);
    }
    if (!isSettled(this.#claim)) this.#askKeeper();
    this.#hearQueued();
    return crossAt(this.#view(gate));
  }

  /** @param isFollowed somebody waits for us to hand it on */
  originAt(isFollowed: boolean): number {
    return originAt(this.#view(0), isFollowed);
  }

  /** We began without the server's word; does it say now that somebody else had begun just before? True once. */
  stepsBack(): boolean {
    if (!this.#guessed || this.#claim?.kind !== 'theirs') return false;
    this.#guessed = false;
    return this.#claim.since < COMPANY_FRESH_MS;
  }

  /** In [0, 1), the same for the same peer and asset. */
  get draw(): number {
    return drawOf(this.#crossings.ports.membership.peer ?? ('0' as PeerId), this.#wanted.name.digest);
  }

  /** Sources that had it under way and gave nothing. */
  get fruitless(): number {
    return this.#fruitless;
  }

  /** @param withdrew it said that it has it no more */
  gaveNothing(withdrew: boolean): void {
    this.#fruitless++;
    if (withdrew) this.#withdrawals++;
  }

  /**
   * A neighbour says that it will have it when it is whole.
   * @param at when it said so, on the clock. Default: just now
   */
  promised(neighbour: Neighbour, word: PromiseWord = 'later', at = this.#crossings.ports.clock.now()): void {
    const now = this.#crossings.ports.clock.now();
    if (this.#promise && ((this.#promise.by === neighbour && this.#promise.word === word) || now < this.#promise.until))
      return;
    if (this.#promises === MAX_PROMISES) return;
    const patience = promisePatience(word, this.#crossingTime, this.#promises++, amongSites(this.#view(0)));
    this.#promise = { by: neighbour, word, until: at + patience };
  }

  /** Who had it under way gives no more. */
  lostSource(neighbour: Neighbour): void {
    this.#askedAt = this.#crossings.ports.clock.now();
    if (this.#claim?.kind !== 'asked') this.#claim = this.#ask(neighbour.peer);
  }

  /** We cross: a keeper that we asked in vain is passed over for a while. */
  crosses(): void {
    const { clock } = this.#crossings.ports;
    this.#guessed = this.#claim?.kind === 'asked' && this.#rounds === 1;
    if (this.#asked) this.#asked.heedlessUntil = clock.now() + HEEDLESS_MS;
  }

  #ask(instead: PeerId | null): Claim {
    const { membership, clock, changes } = this.#crossings.ports;
    const { swarm, name } = this.#wanted;
    if (++this.#rounds > CLAIM_ROUNDS || membership.state !== 'joined') return { kind: 'none' };
    if (instead === null && !this.#crossings.takeClaim(swarm)) return { kind: 'none' };
    void membership.claim(swarm, name.digest, instead).then((reply) => {
      const at = clock.now();
      this.#crosser = reply?.crosser ?? null;
      if (!reply) this.#claim = { kind: 'none' };
      else if (reply.crosser === membership.peer) this.#claim = { kind: 'ours', at, companyFor: reply.companyFor };
      else {
        this.#claim = { kind: 'theirs', at, since: reply.since };
        if (reply.told < MEETINGS_PER_CLAIM) this.#meetUnlessHeard(reply.crosser);
      }
      changes.notify();
    });
    return { kind: 'asked', at: clock.now() };
  }

  /** Who crosses need not be a neighbour, nor hand it to one. */
  #meetUnlessHeard(crosser: PeerId): void {
    const { membership, neighbours, clock } = this.#crossings.ports;
    const { digest } = this.#wanted.name;
    clock.after(HEAR_MS, () => {
      const heardOf = neighbours.holders(digest).length + neighbours.carriers(digest, Infinity).length > 0;
      const isFree = membership.state === 'joined' && neighbours.open.length < MAX_CONNECTIONS;
      if (this.#crosser === crosser && !heardOf && isFree) membership.connections.dial(crosser, true);
    });
  }

  #askKeeper(): void {
    const { swarm, name, neededAt } = this.#wanted;
    if (name.urlKey !== undefined) return; // It brings what its players named.
    const keeper = this.#crossings.rank(swarm) === 0 ? undefined : this.#crossings.keeper(swarm);
    if (!keeper || keeper === this.#asked) return;
    this.#asked = keeper;
    const { clock, neighbours } = this.#crossings.ports;
    neighbours.announcements.want(keeper, swarm, { digest: name.digest, within: neededAt - clock.now() });
  }

  #hearQueued(): void {
    const queuedAt = this.#asked?.queuedAt(this.#wanted.name.digest);
    // Perhaps long ago, because another of the site wanted it before us.
    if (this.#asked && queuedAt !== undefined) this.promised(this.#asked, 'queued', queuedAt);
  }

  /** Taken back where who gave it is gone, or says that the asset is lost. */
  get #promised(): Promised | null {
    if (this.#promise?.by.open !== true || this.#promise.by.queuedAt(this.#wanted.name.digest) === undefined)
      return null;
    return this.#promise;
  }

  get #crossingTime(): number {
    const { lineRate } = this.#crossings;
    return lineRate > 0 ? (1000 * this.#wanted.name.size) / lineRate : 0;
  }

  #view(gate: number): CrossingView {
    const { swarm, neededAt } = this.#wanted;
    const { siteSize, sites, outside } = this.#crossings.sizes(swarm);
    return {
      // Its news are later than its answers.
      siteSize: this.#claim?.kind === 'theirs' ? Math.max(2, siteSize) : siteSize,
      sites,
      outside,
      rank: this.#crossings.rank(swarm),
      claim: this.#claim ?? { kind: 'none' },
      asked: this.#asked !== null,
      askedAt: this.#askedAt,
      neededAt,
      crossingTime: this.#crossingTime,
      promised: this.#promised,
      fruitless: this.#fruitless,
      withdrawals: this.#withdrawals,
      gate,
      draw: this.draw,
    };
  }
}
