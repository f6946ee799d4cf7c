/**
 * The engine of one peer: puts the parts together and answers the page. It sees only ports, so it runs the same in a worker, on the
 * main thread and in Node.
 */
import { P2PError } from '../../protocol/error.ts';
import { isDigest, type Digest, type SwarmId } from '../../protocol/ids.ts';
import type {
  ByteCounts,
  EngineOptions,
  EngineStats,
  FromPage,
  Held,
  Lead,
  Played,
  ShareableFile,
  ToTab,
} from '../../protocol/page.ts';
import { STATS_EVERY_MS } from '../core/limits.ts';
import type { Channel, Ports } from '../core/ports.ts';
import { Asker, type LoadReads } from './asker.ts';
import { Assets, type LoadByUrl, type Reply } from './assets.ts';
import type { Use } from './shared-transfers.ts';
import { Beacons } from './beacons.ts';
import { Changes } from './changes.ts';
import { Crossings } from './crossings.ts';
import type { FromOutside } from './from-outside.ts';
import { ManifestIndex } from './manifest-index.ts';
import { Membership, type MembershipListener } from './membership.ts';
import { Neighbours, type NeighboursListener } from './neighbours.ts';
import { OriginDoor } from './origin-door.ts';
import type { LoadOutside } from './transfer-ports.ts';

/** What the engine says to all who use it. */
export type EngineNews =
  Extract<ToTab, { type: 'stay-awake' | 'peer' | 'warning' }> | { readonly type: 'stats'; readonly stats: EngineStats };

export type Post = (message: EngineNews) => void;

export interface EnginePorts extends Ports {
  readonly loadOutside: LoadOutside;
  readonly loadReads: LoadReads;
  readonly loadByUrl: LoadByUrl;
  /** Tells which URLs the page lets be shared; null: all. */
  readonly mayShare: Promise<(url: string) => boolean> | null;
}

export class Engine {
  readonly #ports: EnginePorts;
  readonly #post: Post;
  readonly #home: SwarmId;
  readonly #neighbours: Neighbours;
  readonly #membership: Membership;
  readonly #manifest: ManifestIndex;
  readonly #assets: Assets;
  readonly #crossings: Crossings;
  readonly #beacons: Beacons;
  readonly #bytes = { origin: 0, peers: 0, store: 0, uploaded: 0 };
  #outside: typeof FromOutside | null = null;
  #originReachable = true;
  #statsDue = false;

  constructor(ports: EnginePorts, options: EngineOptions, post: Post) {
    const { clock } = ports;
    this.#ports = ports;
    this.#post = post;
    const changes = new Changes(clock);
    const changed = (): void => {
      changes.notify();
      this.#changed();
    };
    this.#neighbours = new Neighbours(
      {
        ...ports,
        announces: options.upload,
        maxUpload: options.maxUpload,
        underWay: (digest) => this.#assets.underWay(digest),
        uploaded: (bytes) => this.#count('uploaded', bytes),
        isKeeper: (swarm) => this.#crossings.rank(swarm) === 0,
        bring: (swarm, asset, signal) => this.#assets.bring(swarm, asset, signal),
      },
      this.#neighboursListener(changed),
    );
    const { home } = options;
    this.#home = home;
    const listener = this.#membershipListener(changed, options.signal);
    this.#membership = new Membership(ports, options, this.#neighbours, listener);
    const isThere = (): boolean => this.#membership.isAnswered;
    this.#beacons = new Beacons({ ...ports, look: () => this.stats, isThere });
    const door = this.#door(options);
    this.#manifest = new ManifestIndex(clock);
    this.#crossings = new Crossings({ clock, changes, membership: this.#membership, neighbours: this.#neighbours });
    this.#assets = new Assets(
      {
        ...ports,
        changes,
        origin: door.fetch,
        neighbours: this.#neighbours,
        membership: this.#membership,
        manifest: this.#manifest,
        crossings: this.#crossings,
        outside: () => this.#outside,
        countPeerBytes: (bytes) => this.#count('peers', bytes),
        countStoreBytes: (bytes) => this.#count('store', bytes),
        countOriginBytes: (bytes) => this.#count('origin', bytes),
        loadByUrl: options.sharesUnverified ? ports.loadByUrl : null,
        warn: (error) => this.#warn(error),
      },
      home,
    );
    if (options.manifest !== null)
      void this.#manifest.load(options.manifest, {
        ...ports,
        origin: door.fetch,
        failed: (error) => this.#warn(error),
      });
    this.#begin(options);
  }

  #membershipListener(changed: () => void, server: string): MembershipListener {
    return {
      changed,
      joined: () => {
        this.#reachability(true);
        this.#beacons.begin();
      },
      unusable: (code, reason) => this.#warn(serverUnusable(code, server, reason)),
    };
  }

  #door({ webOrigin }: EngineOptions): OriginDoor {
    return new OriginDoor(
      this.#ports.origin,
      webOrigin,
      (bytes) => this.#count('origin', bytes),
      (reachable) => this.#reachability(reachable),
    );
  }

  #begin({ share }: EngineOptions): void {
    void this.#showStored();
    this.#membership.enter(this.#home);
    if (share) this.#membership.open();
  }

  get stats(): EngineStats {
    return {
      peers: this.#neighbours.open.length,
      bytes: { ...this.#bytes },
      banned: this.#neighbours.bannedCount,
      signaling: this.#membership.state,
      originReachable: this.#originReachable,
      lineRate: this.#crossings.lineRate > 0 ? 8 * this.#crossings.lineRate : null,
      noMesh: this.#membership.noMesh,
      peer: this.#membership.peer,
    };
  }

  /** Joins the mesh; until then everything comes from the origin. */
  share(lead: Lead | null = null): void {
    this.#membership.open(lead);
    this.#changed();
  }

  /** For the tab that leads next. */
  get resume(): string | null {
    return this.#membership.resume;
  }

  join(swarm: SwarmId): void {
    this.#membership.enter(swarm);
  }

  /** What the signaling server is shown; null: nothing. */
  showToken(token: string | null): void {
    this.#membership.showToken(token);
  }

  /** Takes what the page had from the origin itself, or has a name for by now. */
  keep(message: Extract<FromPage, { type: 'keep' }>): void {
    if (!message.name) {
      this.#count('origin', message.body.byteLength);
      this.#reachability(true);
    }
    void this.#assets.keep({ ...message, body: new Uint8Array(message.body) });
  }

  held(digests: readonly Digest[]): readonly Held[] {
    return digests.map((digest) => {
      if (!isDigest(digest)) return 'nobody';
      if (this.#ports.store.has(digest)) return 'store';
      if (this.#neighbours.holders(digest).length > 0) return 'neighbour';
      const isComing =
        this.#assets.underWay(digest) !== undefined || this.#neighbours.carriers(digest, Infinity).length > 0;
      return isComing ? 'coming' : 'nobody';
    });
  }

  /** Resolves when all that is here is kept for the next visit, or can't be. */
  settled(): Promise<void> {
    return this.#ports.store.settled();
  }

  /** Throws away all that is kept on this device. */
  clear(): Promise<void> {
    return this.#ports.store.clear();
  }

  /** What the manifest lists of these, and is not here, is taken over from the browser's own cache, else brought; one after the other. */
  seen(urls: readonly string[]): void {
    void this.#takeSeen(urls);
  }

  async #takeSeen(urls: readonly string[]): Promise<void> {
    for (const url of new Set(urls)) await this.#assets.takeSeen(url);
  }

  /** What a player will ask for next. */
  expect({ player, swarm, assets }: Extract<FromPage, { type: 'window' }>): void {
    this.#neighbours.expect({ player, swarm: swarm ?? this.#home, assets });
    this.#assets.expect(assets);
  }

  /** A way in for asset questions; each asker has its own numbers. @param use hears of the bytes that it uses, which count in `stats` too */
  asker(reply: Reply, use: Use = () => undefined): Asker {
    const awake = (): void => this.#post({ type: 'stay-awake' });
    return new Asker({ ...this.#ports, assets: this.#assets, awake, use }, reply);
  }

  /** Another tab has come to use this engine, perhaps after a deploy. Resolves with whether something else may be listed now. */
  async revalidate(): Promise<boolean> {
    if (!this.#manifest.revalidate()) return false;
    await this.#manifest.settled;
    this.#assets.believe();
    void this.#showStored();
    return true;
  }

  /** What the manifest says of these URLs. */
  listed(urls: readonly string[]): Promise<readonly ShareableFile[]> {
    return this.#manifest.listed(urls);
  }

  /** What a service worker may ask for, once the manifest is known or can't be had. */
  async shareable(): Promise<readonly ShareableFile[]> {
    await this.#manifest.settled;
    return this.#manifest.current;
  }

  channel(connection: number, peer: Extract<FromPage, { type: 'channel' }>['peer'], channel: Channel): void {
    this.#membership.connections.channel(connection, peer, channel);
  }

  connection(message: Extract<FromPage, { type: 'connection' }>): void {
    if (message.state === 'connected')
      this.#membership.connections.connected(message.connection, message.maxMessageSize);
    else this.#membership.connections.disconnected(message.connection);
  }

  signal(message: Extract<FromPage, { type: 'signal' }>): void {
    void this.#membership.connections.localSignal(message.peer, message.signal);
  }

  /** A player of a tab saw this. */
  played(seen: Played): void {
    this.#beacons.played(seen);
  }

  leave(): void {
    this.#beacons.end();
    this.#neighbours.leave(); // Says goodbye, so before the connections are hung up.
    this.#membership.leave();
    this.#changed();
  }

  /** What earlier visits left is offered at once. */
  async #showStored(): Promise<void> {
    await Promise.all([this.#ports.store.ready, this.#manifest.settled]);
    for (const digest of this.#manifest.files.flatMap(({ parts }) => parts))
      if (this.#ports.store.has(digest)) this.#neighbours.announcements.hold(this.#home, digest);
  }

  #neighboursListener(changed: () => void): NeighboursListener {
    return {
      joined: (neighbour) => {
        this.#membership.connections.opened(neighbour);
        this.#membership.metSomebody();
        if (!neighbour.sameSite) void this.#meetOutside(changed);
        this.#post({ type: 'peer', peer: neighbour.peer, state: 'connected' });
        changed();
      },
      gone: (neighbour) => {
        this.#membership.connections.gone(neighbour);
        if (neighbour.wasOpen) this.#post({ type: 'peer', peer: neighbour.peer, state: 'gone' });
      },
      changed,
      fetching: (neighbour, lineRate) => {
        if (neighbour.sameSite) this.#crossings.heard(lineRate);
        changed();
      },
      banned: (peer, reason) => {
        this.#warn(reason);
        this.#ports.signaling.report({ peer });
        this.#post({ type: 'peer', peer, state: 'banned' });
      },
    };
  }

  /** If it can't be loaded, the origin gives what other sites would. */
  async #meetOutside(changed: () => void): Promise<void> {
    try {
      this.#outside ??= (await this.#ports.loadOutside()).FromOutside;
      changed();
    } catch (error) {
      this.#ports.trace('mesh', () => `nothing from other sites: ${String(error)}`);
    }
  }

  #count(source: keyof ByteCounts, bytes: number): void {
    this.#bytes[source] += bytes;
    this.#changed();
  }

  #reachability(reachable: boolean): void {
    if (reachable === this.#originReachable) return;
    this.#originReachable = reachable;
    this.#changed();
  }

  #warn(error: P2PError): void {
    this.#post({ type: 'warning', code: error.code, message: error.message, details: error.details });
  }

  /** Statistics follow a change soon, but not each one by itself. */
  #changed(): void {
    if (this.#statsDue) return;
    this.#statsDue = true;
    this.#ports.clock.after(STATS_EVERY_MS, () => {
      this.#statsDue = false;
      this.#post({ type: 'stats', stats: this.stats });
    });
  }
}

const serverUnusable = (code: 'signaling-unreachable' | 'unauthorized', url: string, reason: string): P2PError =>
  new P2PError(
    code,
    `The signaling server ${url} can't be used (${reason}). The page plays on. Is it running? <p2p-mesh signal="URL"> names another.`,
    { url, reason },
  );
