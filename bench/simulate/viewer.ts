import type { Random } from '../../mesh/core/ports.ts';
import { STORE_BYTES } from '../../mesh/core/limits.ts';
import type { SwarmId } from '../../protocol/ids.ts';
import type { AssetAnswer, AssetQuestion, AssetSource, EngineStats } from '../../protocol/page.ts';
import { EnginePeer } from '../../test/mesh/world/engine-peer.ts';
import { WEB_ORIGIN, type Surroundings } from '../../test/mesh/world/surroundings.ts';
import type { Content } from './content.ts';
import { Player, type Loading } from './player.ts';
import { SEGMENT_MS } from './scenario.ts';

export const SWARM = 'lesson' as SwarmId;
export const PLAYLIST_URL = `${WEB_ORIGIN}/lesson/index.m3u8`;
export const MANIFEST_URL = `${WEB_ORIGIN}/p2p-manifest.json`;

export interface ViewerOptions {
  readonly name: string;
  readonly site: string;
  /** Does it share? */
  readonly shares: boolean;
  readonly isLive: boolean;
  /** Segments that the playlist lists now. */
  readonly listed: () => number;
  readonly random: Random;
}

/** Page and code of the player are there after this, ms; six Chromiums that started together had joined the mesh by then. */
const PAGE_MS = [100, 300] as const;
const PLAYER_MS = [150, 350] as const;

const between = ([least, most]: readonly [number, number], random: Random): number => least + random() * (most - least);

/** One who watches: a page with the product's engine, and a player. */
export class Viewer {
  readonly name: string;
  readonly site: string;
  readonly player: Player;
  readonly bytes: Record<AssetSource, number> = { store: 0, peers: 0, origin: 0, mixed: 0 };
  /** Segments that it has loaded. */
  readonly loaded = new Set<number>();
  readonly cameAt: number;
  leftAt = Infinity;
  banned = 0;
  readonly #world: Surroundings;
  readonly #content: Content;
  readonly #options: ViewerOptions;
  readonly #waiting = new Map<number, (answer: AssetAnswer) => void>();
  #peer: EnginePeer | null = null;
  #ask: (question: AssetQuestion) => void = () => undefined;
  #lastId = 0;

  constructor(world: Surroundings, content: Content, options: ViewerOptions) {
    this.name = options.name;
    this.site = options.site;
    this.#world = world;
    this.#content = content;
    this.#options = options;
    const { clock } = world;
    this.cameAt = clock.now();
    this.player = new Player(
      {
        clock,
        playlist: () => this.#playlist(),
        load: (index, deadline, done) => this.#load(index, deadline, done),
        expect: (coming) => this.#expect(coming),
      },
      { segmentMs: SEGMENT_MS, segments: content.segments.length, isLive: options.isLive },
    );
    const pageAt = between(PAGE_MS, options.random);
    const playerAt = pageAt + between(PLAYER_MS, options.random);
    clock.after(pageAt, () => this.#join());
    clock.after(playerAt, () => void (this.leftAt === Infinity && this.player.start()));
  }

  get stats(): EngineStats | undefined {
    return this.#peer?.engine.stats;
  }

  /** Closes the page, or dies without a word. */
  leave(saysSo: boolean): void {
    if (this.leftAt !== Infinity) return;
    this.leftAt = this.#world.clock.now();
    this.player.stop();
    if (saysSo) this.#peer?.engine.leave();
    this.#peer?.die();
  }

  #join(): void {
    if (this.leftAt !== Infinity) return;
    const { name, site, shares } = this.#options;
    const { sha256 } = this.#content;
    const store = this.#content.store(STORE_BYTES);
    const engine = { share: shares, manifest: shares ? MANIFEST_URL : null };
    this.#peer = new EnginePeer(this.#world, { name, site, store, sha256, engine }, (message) => {
      if (message.type === 'peer' && message.state === 'banned') this.banned++;
    });
    this.#peer.engine.join(SWARM);
    ({ ask: this.#ask } = this.#peer.engine.asker((answer) => {
      if (answer.type === 'progress') return;
      const take = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      take?.(answer);
    }));
  }

  /** As the product does: straight from the origin. */
  async #playlist(): Promise<number> {
    const { signal } = new AbortController();
    const request = { url: PLAYLIST_URL, range: null, credentials: 'omit', signal } as const;
    const { chunks } = await this.#world.origin.fetchFor(this.name)(request);
    const listed = this.#options.listed();
    for await (const _ of chunks);
    return listed;
  }

  #load(index: number, deadline: number, done: (isThere: boolean) => void): Loading {
    const id = ++this.#lastId;
    const segment = this.#content.segments[index]!;
    this.#waiting.set(id, (answer) => {
      if (answer.type === 'loaded') {
        this.bytes[answer.source] += answer.body.byteLength;
        this.loaded.add(index);
      }
      done(answer.type === 'loaded');
    });
    const { url, name } = segment;
    this.#ask({ type: 'load', id, url, name, swarm: SWARM, deadline, age: 0, unlisted: 'fetch', range: null });
    return {
      index,
      abort: () => {
        if (this.#waiting.delete(id)) this.#ask({ type: 'abort', id });
      },
    };
  }

  #expect(coming: readonly { readonly index: number; readonly within: number }[]): void {
    const assets = coming.map(({ index, within }) => {
      const { url, name } = this.#content.segments[index]!;
      return { url, name, within };
    });
    this.#peer?.engine.expect({ type: 'window', player: 1, swarm: SWARM, assets });
  }
}
