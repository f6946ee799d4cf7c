/**
 * Our neighbours themselves, what is said to them and handed out: all that a viewer who is alone does not need, so it is loaded only once
 * the server names somebody. Owned by the Neighbours.
 */
import type { P2PError } from '../../protocol/error.ts';
import type { Digest, PeerId, SwarmId, SwarmKey } from '../../protocol/ids.ts';
import type { Expected } from '../../protocol/page.ts';
import type { Want } from '../../protocol/peer-message.ts';
import { LIVENESS_TICK_MS, MAX_BANNED } from '../core/limits.ts';
import type { Holdings } from '../core/holdings.ts';
import type { Channel, Clock, Store, Trace } from '../core/ports.ts';
import type { SwarmView } from '../core/start-gate.ts';
import { FromNeighbours } from './from-neighbours.ts';
import { Keeper, type KeeperPorts } from './keeper.ts';
import { Neighbour } from './neighbour.ts';
import type { Taker } from './source-book.ts';
import type { UnderWay } from './under-way.ts';
import { UploadAllowance } from './uploads.ts';

export interface NeighboursListener {
  /** A connection is open. */
  joined(neighbour: Neighbour): void;
  /** An open connection, or one that never opened, is gone. */
  gone(neighbour: Neighbour): void;
  /** What somebody holds, or which swarms somebody is in, has changed. */
  changed(): void;
  /** Somebody has something under way, and what it knows of the line, bytes per second. */
  fetching(neighbour: Neighbour, lineRate: number): void;
  /** What company takes could not be loaded; told once. */
  unprepared(reason: string): void;
  banned(peer: PeerId, reason: P2PError): void;
}

/** What a player will ask for next. */
export interface Window {
  readonly player: number;
  readonly swarm: SwarmId;
  readonly assets: readonly Expected[];
}

/** What we tell neighbours of, whenever they come. */
export interface Own {
  readonly swarms: ReadonlyMap<SwarmId, SwarmKey>;
  readonly enteredAt: ReadonlyMap<SwarmId, number>;
  readonly holdings: Holdings;
  /** What we have under way and hand out: how many hops we are from who crosses. */
  readonly fetching: ReadonlyMap<SwarmId, ReadonlyMap<Digest, number>>;
  readonly windows: ReadonlyMap<number, Window>;
}

export type Inventories = Pick<Extract<SwarmView, { kind: 'joined' }>, 'inventories' | 'awaited' | 'awaitedSince'>;

export interface Count {
  readonly ofSite: number;
  readonly outside: number;
}

export interface CompanyPorts extends Pick<KeeperPorts, 'isKeeper' | 'bring'> {
  readonly clock: Clock;
  readonly store: Store;
  readonly trace: Trace;
  /** False for a peer that hands nothing out: it announces nothing either. */
  readonly announces: boolean;
  /** Bits per second; null: as fast as it goes. */
  readonly maxUpload: number | null;
  /** What is on its way and may be handed on. */
  readonly underWay: (digest: Digest) => UnderWay | undefined;
  readonly uploaded: (bytes: number) => void;
}

export class Company {
  readonly #ports: CompanyPorts;
  readonly #own: Own;
  readonly #listener: NeighboursListener;
  readonly #allowance: UploadAllowance;
  readonly #keeper: Keeper;
  readonly #all = new Map<PeerId, Neighbour>();
  readonly #banned = new Set<PeerId>();
  #cancelTick: (() => void) | null = null;

  /** @param own kept by who owns us, so that what came before us counts too */
  constructor(ports: CompanyPorts, own: Own, listener: NeighboursListener) {
    const { clock, store, underWay, announces, maxUpload, uploaded, isKeeper, bring } = ports;
    this.#ports = ports;
    this.#own = own;
    this.#listener = listener;
    this.#allowance = new UploadAllowance(clock, store, underWay, { enabled: announces, maxUpload }, uploaded);
    this.#keeper = new Keeper({
      clock,
      isKeeper,
      holds: (digest) => store.has(digest),
      isComing: (digest) => underWay(digest) !== undefined,
      bring,
      announce: (swarm, digests) => this.#queued(swarm, digests),
    });
    for (const window of own.windows.values()) this.expect(window);
  }

  get open(): readonly Neighbour[] {
    return [...this.#all.values()].filter((neighbour) => neighbour.open);
  }

  get bannedCount(): number {
    return this.#banned.size;
  }

  isBanned(peer: PeerId): boolean {
    return this.#banned.has(peer);
  }

  get(peer: PeerId): Neighbour | undefined {
    return this.#all.get(peer);
  }

  /** Takes a channel over. A newer connection to the same peer replaces the older one. */
  add(peer: PeerId, connection: number, sameSite: boolean, channel: Channel): void {
    const older = this.#all.get(peer);
    const { clock } = this.#ports;
    const neighbour: Neighbour = new Neighbour(peer, connection, sameSite, channel, clock, this.#allowance, {
      opened: () => this.#opened(neighbour),
      greeted: () => this.#greeted(neighbour),
      told: () => this.#listener.changed(),
      wants: (_, key, wants) => this.#wanted(neighbour, key, wants),
      fetching: (_, key, { lineRate }) => this.#listener.fetching(neighbour, lineRate),
      broken: (_, error) => this.ban(neighbour, error),
      closed: () => this.#closed(neighbour),
    });
    this.#all.set(peer, neighbour);
    older?.close();
  }

  /** Open neighbours that hold the asset: those with the fewest blocks to send first. */
  holders(digest: Digest): readonly Neighbour[] {
    return this.open.filter((neighbour) => neighbour.holds(digest)).sort((a, b) => a.blocksDue - b.blocksDue);
  }

  /** Open neighbours that have the asset under way, no nearer to us than to who crosses: those with the fewest hops first. */
  carriers(digest: Digest, hops: number): readonly Neighbour[] {
    const hopsOf = (neighbour: Neighbour): number => neighbour.hopsOf(digest) ?? Infinity;
    return this.open.filter((neighbour) => hopsOf(neighbour) < hops).sort((a, b) => hopsOf(a) - hopsOf(b));
  }

  count(swarm: SwarmId): Count {
    const key = this.#own.swarms.get(swarm);
    const inSwarm = key === undefined ? [] : this.open.filter(({ swarms }) => swarms.has(key));
    const ofSite = inSwarm.filter(({ sameSite }) => sameSite).length;
    return { ofSite, outside: inSwarm.length - ofSite };
  }

  sources(taker: Taker): FromNeighbours {
    return new FromNeighbours(taker);
  }

  inventories(swarm: SwarmId): Inventories {
    const key = this.#own.swarms.get(swarm);
    const since = this.#own.enteredAt.get(swarm) ?? 0;
    if (key === undefined) return inventoriesOf(0, this.open, since);
    const inSwarm = this.open.filter((neighbour) => !neighbour.greeted || neighbour.swarms.has(key));
    const awaited = inSwarm.filter((neighbour) => !neighbour.inventories.has(key));
    return inventoriesOf(inSwarm.length - awaited.length, awaited, since);
  }

  /** We are in a swarm more. */
  entered(): void {
    for (const neighbour of this.open) {
      this.#hello(neighbour);
      this.#tell(neighbour);
    }
  }

  /** We are in this swarm no more. */
  left(key: SwarmKey): void {
    for (const neighbour of this.open) {
      neighbour.told.delete(key);
      this.#hello(neighbour);
    }
  }

  /** What a player of this page will ask for. */
  expect({ player, swarm, assets }: Window): void {
    this.#keeper.expect(player, swarm, assets);
  }

  /** Announces an asset that we have under way and hand out, to all but those who have it nearer. */
  fetching(swarm: SwarmId, digest: Digest, hops: number, lineRate: number): void {
    for (const [neighbour, key] of this.#toldOf(swarm))
      if (!neighbour.holds(digest) && (neighbour.hopsOf(digest) ?? Infinity) > hops)
        neighbour.send({ type: 'fetching', swarm: key, digest, hops, lineRate });
  }

  /** Asks a neighbour, the keeper, to bring an asset. */
  want(neighbour: Neighbour, swarm: SwarmId, want: Want): void {
    const key = this.#own.swarms.get(swarm);
    if (key !== undefined) neighbour.send({ type: 'want', swarm: key, wants: [want] });
  }

  /** Announces an asset that we hold from now on. */
  have(swarm: SwarmId, digest: Digest): void {
    for (const [neighbour, key] of this.#toldOf(swarm)) neighbour.have(key, [digest]);
  }

  /** Takes an announcement back. */
  lost(swarm: SwarmId, digest: Digest): void {
    for (const [neighbour, key] of this.#toldOf(swarm)) neighbour.send({ type: 'lost', swarm: key, digests: [digest] });
  }

  /** Never again, on any swarm. */
  ban(neighbour: Neighbour, reason: P2PError): void {
    if (this.#banned.has(neighbour.peer)) return;
    this.#banned.add(neighbour.peer);
    if (this.#banned.size > MAX_BANNED) for (const oldest of this.#banned) if (this.#banned.delete(oldest)) break;
    neighbour.close();
    this.#listener.banned(neighbour.peer, reason);
  }

  /** Says goodbye to all. */
  leave(): void {
    for (const neighbour of [...this.#all.values()]) neighbour.leave();
    this.#cancelTick?.();
    this.#cancelTick = null;
  }

  #opened(neighbour: Neighbour): void {
    this.#ports.trace('mesh', () => `open ${neighbour.peer}`);
    this.#hello(neighbour);
    this.#cancelTick ??= this.#ports.clock.after(LIVENESS_TICK_MS, () => this.#tick());
    this.#listener.joined(neighbour);
  }

  #greeted(neighbour: Neighbour): void {
    this.#tell(neighbour);
    this.#listener.changed();
  }

  #hello(neighbour: Neighbour): void {
    neighbour.hello([...this.#own.swarms.values()]);
  }

  /** Sends what we hold in each common swarm that the neighbour was not told of yet. */
  #tell(neighbour: Neighbour): void {
    const { swarms, holdings, fetching } = this.#own;
    const { announces } = this.#ports;
    for (const [swarm, key] of swarms) {
      if (!neighbour.swarms.has(key) || neighbour.told.has(key)) continue;
      neighbour.have(key, announces ? holdings.in(swarm) : []);
      for (const [digest, hops] of (announces && fetching.get(swarm)) || [])
        neighbour.send({ type: 'fetching', swarm: key, digest, hops, lineRate: 0 });
    }
  }

  /** Who is to hear what we hold in this swarm, and its key. */
  #toldOf(swarm: SwarmId): readonly (readonly [Neighbour, SwarmKey])[] {
    const key = this.#own.swarms.get(swarm);
    if (key === undefined || !this.#ports.announces) return [];
    return this.open.filter(({ told }) => told.has(key)).map((neighbour) => [neighbour, key]);
  }

  /** Tells the neighbours of our site what we are about to cross, and do not yet. */
  #queued(swarm: SwarmId, announced: readonly Digest[]): void {
    const under = this.#own.fetching.get(swarm);
    const digests = announced.filter((digest) => under?.has(digest) !== true);
    if (digests.length === 0) return;
    for (const [neighbour, key] of this.#toldOf(swarm))
      if (neighbour.sameSite) neighbour.send({ type: 'queued', swarm: key, digests });
  }

  #wanted({ sameSite }: Neighbour, key: SwarmKey, wants: readonly Want[]): void {
    for (const [swarm, of] of this.#own.swarms) if (sameSite && of === key) this.#keeper.wanted(swarm, wants);
  }

  #closed(neighbour: Neighbour): void {
    if (this.#all.get(neighbour.peer) === neighbour) this.#all.delete(neighbour.peer);
    this.#ports.trace('mesh', () => `gone ${neighbour.peer}`);
    this.#listener.gone(neighbour);
    this.#listener.changed();
  }

  #tick(): void {
    for (const neighbour of [...this.#all.values()]) neighbour.checkLiveness();
    this.#cancelTick = this.#all.size > 0 ? this.#ports.clock.after(LIVENESS_TICK_MS, () => this.#tick()) : null;
  }
}

const inventoriesOf = (inventories: number, awaited: readonly Neighbour[], enteredAt: number): Inventories => ({
  inventories,
  awaited: awaited.length,
  awaitedSince: Math.max(enteredAt, ...awaited.map(({ openedAt }) => openedAt)),
});
