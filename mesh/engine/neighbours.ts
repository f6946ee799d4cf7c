/**
 * All our neighbours, as the rest of the engine sees them, and what we tell each of them about ourselves. Alone there are none; what they
 * take is loaded as soon as the server names somebody. Owned by the Engine.
 */
import type { P2PError } from '../../protocol/error.ts';
import type { Digest, PeerId, Sha256, SwarmId, SwarmKey } from '../../protocol/ids.ts';
import type { Want } from '../../protocol/peer-message.ts';
import { swarmKey } from '../../protocol/swarm.ts';
import { Holdings } from '../core/holdings.ts';
import { COMPANY_RETRY_MAX_MS, COMPANY_RETRY_MS } from '../core/limits.ts';
import type { Channel } from '../core/ports.ts';
import type { Company, CompanyPorts, Count, Inventories, NeighboursListener, Window } from './company.ts';
import type { FromNeighbours } from './from-neighbours.ts';
import type { Neighbour } from './neighbour.ts';
import type { Taker } from './source-book.ts';

/** Loads what company takes. */
export type LoadCompany = () => Promise<{ readonly Company: typeof Company }>;

export interface NeighboursPorts extends CompanyPorts {
  readonly sha256: Sha256;
  readonly company: LoadCompany;
}

const NOBODY: Count = { ofSite: 0, outside: 0 };
const NO_INVENTORIES: Inventories = { inventories: 0, awaited: 0, awaitedSince: 0 };

export class Neighbours {
  readonly #ports: NeighboursPorts;
  readonly #listener: NeighboursListener;
  readonly #swarms = new Map<SwarmId, SwarmKey>();
  readonly #enteredAt = new Map<SwarmId, number>();
  readonly #holdings = new Holdings();
  readonly #fetching = new Map<SwarmId, Map<Digest, number>>();
  readonly #windows = new Map<number, Window>();
  #company: Company | null = null;
  #loading: Promise<void> | null = null;
  #failures = 0;
  #retryAt = 0;

  constructor(ports: NeighboursPorts, listener: NeighboursListener) {
    this.#ports = ports;
    this.#listener = listener;
  }

  /** Somebody may come: what that takes is loaded, unless it is here. False: it could not be loaded a short while ago. */
  prepare(): boolean {
    if (this.#company) return true;
    if (!this.#loading && this.#ports.clock.now() < this.#retryAt) return false;
    this.#loading ??= this.#load();
    return true;
  }

  /** Does something that concerns a neighbour: now, or when what company takes is here or could not be loaded. */
  whenPrepared(run: () => void): void {
    if (this.#loading) void this.#loading.then(run);
    else run();
  }

  get open(): readonly Neighbour[] {
    return this.#company?.open ?? [];
  }

  get bannedCount(): number {
    return this.#company?.bannedCount ?? 0;
  }

  isBanned(peer: PeerId): boolean {
    return this.#company?.isBanned(peer) ?? false;
  }

  get(peer: PeerId): Neighbour | undefined {
    return this.#company?.get(peer);
  }

  /** Takes a channel over; false if that can't be done. */
  add(peer: PeerId, connection: number, sameSite: boolean, channel: Channel): boolean {
    this.#company?.add(peer, connection, sameSite, channel);
    return this.#company !== null;
  }

  /** Open neighbours that hold the asset: those with the fewest blocks to send first. */
  holders(digest: Digest): readonly Neighbour[] {
    return this.#company?.holders(digest) ?? [];
  }

  /** Open neighbours that have the asset under way, no nearer to us than to who crosses: those with the fewest hops first. */
  carriers(digest: Digest, hops: number): readonly Neighbour[] {
    return this.#company?.carriers(digest, hops) ?? [];
  }

  /** Open neighbours that said that they are in this swarm, by where they are. */
  count(swarm: SwarmId): Count {
    return this.#company?.count(swarm) ?? NOBODY;
  }

  /** One asset's way from neighbours; undefined as long as there is no company. */
  sources(taker: Taker): FromNeighbours | undefined {
    return this.#company?.sources(taker);
  }

  /** Neighbours in this swarm: how many told what they hold, and how many have yet to; one that has not said hello, or a key that is not computed yet, may mean more. */
  inventories(swarm: SwarmId): Inventories {
    return this.#company?.inventories(swarm) ?? NO_INVENTORIES;
  }

  /** Enters a swarm and says so to all neighbours. */
  async enter(swarm: SwarmId): Promise<void> {
    if (this.#enteredAt.has(swarm)) return;
    this.#enteredAt.set(swarm, this.#ports.clock.now());
    const key = await swarmKey(swarm, this.#ports.sha256);
    if (this.#swarms.has(swarm) || !this.#enteredAt.has(swarm)) return; // Left meanwhile.
    this.#swarms.set(swarm, key);
    this.#company?.entered();
  }

  /** Leaves a swarm and says so to all neighbours. */
  exit(swarm: SwarmId): void {
    this.#enteredAt.delete(swarm);
    const key = this.#swarms.get(swarm);
    if (key === undefined || !this.#swarms.delete(swarm)) return;
    this.#holdings.drop(swarm);
    this.#fetching.delete(swarm);
    this.#company?.left(key);
  }

  /** What a player of this page will ask for, so that we can bring it for others; an empty list ends it. */
  expect(window: Window): void {
    if (window.assets.length > 0) this.#windows.set(window.player, window);
    else this.#windows.delete(window.player);
    this.#company?.expect(window);
  }

  /** Announces an asset that we have under way and hand out, to all but those who have it nearer. */
  fetching(swarm: SwarmId, digest: Digest, hops: number, lineRate: number): void {
    const under = this.#fetching.get(swarm) ?? new Map<Digest, number>();
    this.#fetching.set(swarm, under.set(digest, hops));
    this.#company?.fetching(swarm, digest, hops, lineRate);
  }

  /** An asset that we had under way is here, or will not come. */
  fetched(swarm: SwarmId, digest: Digest, came: boolean): void {
    if (this.#fetching.get(swarm)?.delete(digest) === true && !came) this.#company?.lost(swarm, digest);
  }

  /** Asks a neighbour, the keeper, to bring an asset. */
  want(neighbour: Neighbour, swarm: SwarmId, want: Want): void {
    this.#company?.want(neighbour, swarm, want);
  }

  /** Announces an asset that we hold from now on. */
  hold(swarm: SwarmId, digest: Digest): void {
    if (this.#holdings.add(swarm, digest)) this.#company?.have(swarm, digest);
  }

  /** Takes announcements back. */
  lose(digests: readonly Digest[]): void {
    for (const digest of digests) for (const swarm of this.#holdings.remove(digest)) this.#company?.lost(swarm, digest);
  }

  /** Never again, on any swarm. */
  ban(neighbour: Neighbour, reason: P2PError): void {
    this.#company?.ban(neighbour, reason);
  }

  /** Says goodbye to all. */
  leave(): void {
    this.#company?.leave();
  }

  async #load(): Promise<void> {
    try {
      const { Company } = await this.#ports.company();
      this.#company = new Company(
        this.#ports,
        {
          swarms: this.#swarms,
          enteredAt: this.#enteredAt,
          holdings: this.#holdings,
          fetching: this.#fetching,
          windows: this.#windows,
        },
        this.#listener,
      );
    } catch (error) {
      this.#ports.trace('mesh', () => `alone for now: ${String(error)}`);
      if (this.#failures === 0) this.#listener.unprepared(String(error));
      const pause = Math.min(COMPANY_RETRY_MAX_MS, COMPANY_RETRY_MS * 2 ** this.#failures++);
      this.#retryAt = this.#ports.clock.now() + pause;
    }
    this.#loading = null;
  }
}
