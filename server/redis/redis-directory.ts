/**
 * The directory that several servers share, in Redis; and this server's own part of it in memory, from which joins are answered while Redis is
 * away, and which is told to Redis anew when it is back. Owned by RedisNodes, which says when that is.
 */
import createDebug from 'debug';
import type { Digest, PeerId, SwarmId } from '../../protocol/ids.ts';
import type { SwarmState, SwarmView } from '../../protocol/signaling.ts';
import { inBatches } from '../awaitable.ts';
import { HEAL_BATCH } from '../limits.ts';
import type { Claim, Directory } from '../signaling/directory.ts';
import { MemoryDirectory } from '../signaling/memory-directory.ts';
import type { SiteKey } from '../site.ts';
import { parseClaim, parseEnter, parseJoin, parseState } from './replies.ts';
import { CLAIM, ENTER, JOIN, LEAVE, LEAVE_ALL, STATE } from './scripts.ts';

const debug = createDebug('p2p:server:redis');

/**
 * - `away`: Redis is told nothing, and asked nothing
 * - `healing`: it is told all, but what it answers is not the whole yet
 */
export type RedisState = 'away' | 'healing' | 'there';

export interface RedisDirectoryOptions {
  /** Runs a script. @throws where Redis does not answer */
  readonly run: (script: string, ...args: readonly string[]) => Promise<unknown>;
  /** Redis did not answer: it is away until somebody finds that it is back. */
  readonly lost: (error: unknown) => void;
  /** A peer of ours turns out to be at another server, by its newer tab. */
  readonly taken: (peer: PeerId) => void;
  /** Hears of the servers of peers. */
  readonly located: (nodes: ReadonlyMap<PeerId, string>) => void;
  /** Calls `changed` when somebody comes or leaves at another server, until the function that it gives is called. */
  readonly watch: (swarm: SwarmId) => () => void;
  /** Milliseconds, of any origin. Default: the process's. */
  readonly now?: (() => number) | undefined;
}

/** What a peer of ours is known by: the epoch of its tab, and how often it changed its server, 0 if Redis has not said. */
interface Entry {
  readonly epoch: number;
  /** How often the peer had changed its server when it came here; 0: Redis has yet to say. */
  turn: number;
  /** The latest turn by which another server says that it has it. */
  gone: number;
}

export class RedisDirectory implements Directory {
  redis: RedisState = 'away';
  readonly #options: RedisDirectoryOptions;
  readonly #local: MemoryDirectory;
  readonly #peers = new Map<PeerId, Entry>();
  readonly #watched = new Map<SwarmId, () => void>();

  constructor(options: RedisDirectoryOptions) {
    this.#options = options;
    this.#local = new MemoryDirectory(Math.random, options.now);
  }

  /** All swarms that a peer of this server is in. */
  get swarms(): Iterable<SwarmId> {
    return this.#watched.keys();
  }

  async enter(peer: PeerId, epoch: number): Promise<readonly SwarmId[] | 'superseded'> {
    const here = this.#local.enter(peer);
    const entry: Entry = { epoch, turn: 0, gone: 0 };
    this.#peers.set(peer, entry);
    const reply = await this.#ask(ENTER, [peer, String(epoch)], parseEnter);
    if (reply === undefined) return here;
    // it may have come to us, and gone to another, before we heard of either
    if (reply === 'superseded' || entry.gone > reply.turn) {
      if (this.#peers.get(peer) === entry) this.#forget(peer);
      return 'superseded';
    }
    entry.turn = reply.turn;
    return [...new Set([...here, ...reply.swarms])];
  }

  async join(swarm: SwarmId, peer: PeerId, site: SiteKey): Promise<SwarmView> {
    // it went to another server meanwhile
    if (!this.#peers.has(peer)) return aloneIn(swarm, peer);
    const here = this.#local.join(swarm, peer, site);
    if (!this.#watched.has(swarm)) this.#watched.set(swarm, this.#options.watch(swarm));
    const reply = await this.#ask(JOIN, [swarm, peer, site, ''], (untrusted) => parseJoin(swarm, untrusted));
    if (reply) this.#options.located(reply.nodes);
    return this.redis === 'there' && reply ? reply.view : here;
  }

  async leave(swarm: SwarmId, peer: PeerId): Promise<boolean> {
    const here = this.#local.leave(swarm, peer);
    this.#unwatch(swarm);
    const reply = await this.#ask(LEAVE, [swarm, peer], (untrusted) => untrusted === 1);
    return here || reply === true;
  }

  async leaveAll(peer: PeerId): Promise<readonly SwarmId[]> {
    const here = this.#forget(peer);
    await this.#ask(LEAVE_ALL, [peer], () => undefined);
    return here;
  }

  async state(swarm: SwarmId, site: SiteKey): Promise<SwarmState | undefined> {
    const reply = await this.#ask(STATE, [swarm, site], (untrusted) => ({ state: parseState(swarm, untrusted) }));
    return this.redis === 'there' && reply ? reply.state : this.#local.state(swarm, site);
  }

  async claim(
    swarm: SwarmId,
    peer: PeerId,
    digest: Digest,
    instead?: PeerId,
    isQuiet = false,
  ): Promise<Claim | undefined> {
    const reply = await this.#ask(CLAIM, [swarm, peer, digest, instead ?? '', isQuiet ? '1' : ''], (untrusted) => ({
      claim: parseClaim(untrusted),
    }));
    return this.redis === 'there' && reply ? reply.claim : this.#local.claim(swarm, peer, digest, instead, isQuiet);
  }

  /** Redis knows all of it now. @returns false: it has gone away meanwhile */
  healed(): boolean {
    if (this.redis !== 'healing') return false;
    this.redis = 'there';
    return true;
  }

  /** Another server says that it has the peer now. @returns whether we had it, and not again since */
  gone(peer: PeerId, turn: number): boolean {
    const entry = this.#peers.get(peer);
    if (entry === undefined) return false;
    entry.gone = Math.max(entry.gone, turn);
    // 0: Redis has yet to say how often it has moved, and then we see
    if (entry.turn === 0 || entry.turn >= turn) return false;
    this.#forget(peer);
    return true;
  }

  /**
   * Tells Redis of all that this server knows: it was away, or had given us up.
   * @param held whom Redis takes for this server's
   */
  async heal(held: readonly PeerId[]): Promise<void> {
    await inBatches([...this.#peers.keys()], HEAL_BATCH, (peer) => this.#tell(peer));
    const { run } = this.#options;
    await inBatches(held, HEAL_BATCH, (peer) => (this.#peers.has(peer) ? undefined : run(LEAVE_ALL, peer)));
  }

  async #tell(peer: PeerId): Promise<void> {
    const entry = this.#peers.get(peer);
    if (entry === undefined) return;
    const { run, taken } = this.#options;
    const reply = parseEnter(await run(ENTER, peer, String(entry.epoch)));
    if (this.#peers.get(peer) !== entry) return;
    if (reply === 'superseded') {
      this.#forget(peer);
      taken(peer);
      return;
    }
    entry.turn = reply.turn;
    const [today, places] = [Date.now(), this.#local.placesOf(peer)];
    await Promise.all([
      ...places.map(({ swarm, site, age }) => run(JOIN, swarm, peer, site, String(Math.round(1000 * (today - age))))),
      ...reply.swarms
        .filter((swarm) => !places.some((place) => place.swarm === swarm))
        .map((swarm) => run(LEAVE, swarm, peer)),
    ]);
  }

  /** Undefined: Redis is away. */
  async #ask<T>(script: string, args: readonly string[], parse: (untrusted: unknown) => T): Promise<T | undefined> {
    if (this.redis === 'away') return undefined;
    try {
      return parse(await this.#options.run(script, ...args));
    } catch (error) {
      debug('no answer: %o', error);
      this.#options.lost(error);
      return undefined;
    }
  }

  #forget(peer: PeerId): readonly SwarmId[] {
    this.#peers.delete(peer);
    const swarms = this.#local.leaveAll(peer);
    for (const swarm of swarms) this.#unwatch(swarm);
    return swarms;
  }

  #unwatch(swarm: SwarmId): void {
    if (this.#local.sizeOf(swarm) > 0) return;
    this.#watched.get(swarm)?.();
    this.#watched.delete(swarm);
  }
}

const aloneIn = (swarm: SwarmId, peer: PeerId): SwarmView => ({
  swarm,
  size: 1,
  siteSize: 1,
  sites: 1,
  keeper: peer,
  next: [],
  members: [],
  others: [],
});
