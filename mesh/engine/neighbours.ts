/** All our neighbours: who is there, what they have, and who is banned. Owned by the Engine. */
import type { P2PError } from '../../protocol/error.ts';
import type { Digest, PeerId, SwarmId, SwarmKey } from '../../protocol/ids.ts';
import type { Expected } from '../../protocol/page.ts';
import type { Want } from '../../protocol/peer-message.ts';
import { LIVENESS_TICK_MS, MAX_BANNED } from '../core/limits.ts';
import type { Channel, Store, Trace } from '../core/ports.ts';
import type { Inventories } from '../core/start-gate.ts';
import { Announcements, type AnnouncementsPorts } from './announcements.ts';
import { Keeper, type KeepersWork } from './keeper.ts';
import { Neighbour } from './neighbour.ts';
import type { UnderWay } from './under-way.ts';
import { UploadAllowance } from './uploads.ts';

export interface NeighboursListener {
  /** A connection is open. */
  joined(neighbour: Neighbour): void;
  /** An open connection, or one that never opened, is gone. */
  gone(neighbour: Neighbour): void;
  /** What somebody holds, or which swarms somebody is in, has changed. */
  changed(): void;
  /** Somebody has something under way, and what it measured of the line, bytes per second; 0: nothing. */
  fetching(neighbour: Neighbour, lineRate: number): void;
  banned(peer: PeerId, reason: P2PError): void;
}

export interface NeighboursPorts extends Omit<AnnouncementsPorts, 'open'>, KeepersWork {
  readonly store: Store;
  readonly trace: Trace;
  /** Bits per second; null: as fast as it goes. */
  readonly maxUpload: number | null;
  /** What is on its way and may be handed on. */
  readonly underWay: (digest: Digest) => UnderWay | undefined;
  readonly uploaded: (bytes: number) => void;
}

/** What a player will ask for next. */
export interface Window {
  readonly player: number;
  readonly swarm: SwarmId;
  readonly assets: readonly Expected[];
}

export class Neighbours {
  readonly announcements: Announcements;
  readonly #ports: NeighboursPorts;
  readonly #listener: NeighboursListener;
  readonly #allowance: UploadAllowance;
  readonly #keeper: Keeper;
  readonly #all = new Map<PeerId, Neighbour>();
  readonly #banned = new Set<PeerId>();
  #cancelTick: (() => void) | null = null;

  constructor(ports: NeighboursPorts, listener: NeighboursListener) {
    const { clock, store, underWay, announces, maxUpload, uploaded, isKeeper, bring } = ports;
    this.#ports = ports;
    this.#listener = listener;
    this.announcements = new Announcements({ ...ports, open: () => this.open });
    const announced = (digest: Digest): boolean => this.announcements.holds(digest);
    this.#allowance = new UploadAllowance(
      clock,
      store,
      underWay,
      { enabled: announces, maxUpload, announced },
      uploaded,
    );
    this.#keeper = new Keeper({
      clock,
      isKeeper,
      needed: store.needed,
      holds: (digest) => store.has(digest),
      isComing: (digest) => underWay(digest) !== undefined,
      bring,
      announce: (swarm, digests) => this.announcements.queued(swarm, digests),
    });
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
      named: (message) => this.announcements.byUrl?.heard(neighbour, message),
      wants: (key, wants) => this.#wanted(neighbour, key, wants),
      fetching: (digest, lineRate) => this.#fetching(neighbour, digest, lineRate),
      broken: (error) => this.ban(neighbour, error),
      closed: () => this.#closed(neighbour),
    });
    this.#all.set(peer, neighbour);
    older?.close();
  }

  /** Open neighbours that hold the asset: those with the fewest blocks to send first. */
  holders(digest: Digest): readonly Neighbour[] {
    return this.open.filter((neighbour) => neighbour.holds(digest)).sort((a, b) => a.blocksDue - b.blocksDue);
  }

  /** Open neighbours that have the asset under way, fewer hops than this from who crosses: those with the fewest first. */
  carriers(digest: Digest, hops: number): readonly Neighbour[] {
    const hopsOf = (neighbour: Neighbour): number => neighbour.hopsOf(digest) ?? Infinity;
    return this.open.filter((neighbour) => hopsOf(neighbour) < hops).sort((a, b) => hopsOf(a) - hopsOf(b));
  }

  /** Open neighbours that said that they are in this swarm, by where they are. */
  count(swarm: SwarmId): { readonly ofSite: number; readonly outside: number } {
    const key = this.announcements.keyOf(swarm);
    const inSwarm = key === undefined ? [] : this.open.filter(({ swarms }) => swarms.has(key));
    const ofSite = inSwarm.filter(({ sameSite }) => sameSite).length;
    return { ofSite, outside: inSwarm.length - ofSite };
  }

  /** Neighbours in this swarm: how many told what they hold, and how many have yet to; one that has not said hello, or a key that is not computed yet, may mean more. */
  inventories(swarm: SwarmId): Inventories {
    const key = this.announcements.keyOf(swarm);
    const since = this.announcements.enteredAt(swarm);
    if (key === undefined) return inventoriesOf(0, this.open, since);
    const inSwarm = this.open.filter((neighbour) => !neighbour.greeted || neighbour.swarms.has(key));
    const awaited = inSwarm.filter((neighbour) => !neighbour.inventories.has(key));
    return inventoriesOf(inSwarm.length - awaited.length, awaited, since);
  }

  /** What a player of this page will ask for, so that we can bring it for others; an empty list ends it. */
  expect({ player, swarm, assets }: Window): void {
    this.#keeper.expect(player, swarm, assets);
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
    this.announcements.hello(neighbour);
    this.#cancelTick ??= this.#ports.clock.after(LIVENESS_TICK_MS, () => this.#tick());
    this.#listener.joined(neighbour);
  }

  #greeted(neighbour: Neighbour): void {
    this.announcements.tell(neighbour);
    this.#listener.changed();
  }

  #fetching(neighbour: Neighbour, digest: Digest, lineRate: number): void {
    const underWay = this.#ports.underWay(digest);
    if (underWay) this.announcements.bitfield(digest, underWay.blocks, [neighbour]);
    this.#listener.fetching(neighbour, lineRate);
  }

  #wanted({ sameSite }: Neighbour, key: SwarmKey, wants: readonly Want[]): void {
    const swarm = this.announcements.swarmOf(key);
    if (sameSite && swarm !== undefined) this.#keeper.wanted(swarm, wants);
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
