import { createHash } from 'node:crypto';
import type { KeptTexts, Ports } from '../../../mesh/core/ports.ts';
import { STORE_BYTES } from '../../../mesh/core/limits.ts';
import type { Engine, EngineNews } from '../../../mesh/engine/engine.ts';
import type { LoadReads } from '../../../mesh/engine/asker.ts';
import type { LoadOutside } from '../../../mesh/engine/transfer-ports.ts';
import { MemoryStore } from '../../../mesh/io/memory-store.ts';
import type { AssetName } from '../../../protocol/ids.ts';
import type { AssetAnswer, EngineOptions, EngineStats } from '../../../protocol/page.ts';
import { swarmOfName } from '../../../protocol/swarm.ts';
import type { LoadQuestion, ReadQuestion } from '../../../mesh/engine/assets.ts';
import { EnginePeer } from './engine-peer.ts';
import { nodeSha256, type TestAsset } from './test-asset.ts';
import type { Surroundings } from './surroundings.ts';

export interface WorldPeerOptions extends EngineOptions {
  readonly storeBytes: number;
  /** Peers of one site share a line. */
  readonly site: string;
  /** Default: it is there. */
  readonly loadOutside: LoadOutside;
  readonly loadReads: LoadReads;
  /** Default: nothing. */
  readonly cached: Ports['cached'];
  /** Default: nothing is kept. */
  readonly kept: KeptTexts;
  /** Default: all. */
  readonly mayShare: (url: string) => boolean;
}

/** A question under way: `answer` comes as time passes. */
export interface Asking {
  answer: Exclude<AssetAnswer, { type: 'progress' | 'chunk' }> | null;
  readonly progress: number[];
  readonly chunks: ArrayBuffer[];
  readonly askedAt: number;
  answeredAt: number;
  abort(): void;
}

/** A piece of an asset under way. */
export interface PieceAsking {
  bytes: Buffer;
  /** How it ended before all of it was given. */
  ended: string | null;
  /** How often it heard that it is waited for. */
  told: number;
  pull(bytes: number): void;
  abort(): void;
  /** Who asks is gone. */
  close(): void;
}

/** An engine in the world, and a page that notes what it says. */
export class WorldPeer {
  readonly name: string;
  readonly engine: Engine;
  readonly store: MemoryStore;
  readonly posts: EngineNews[] = [];
  readonly #world: Surroundings;
  readonly #peer: EnginePeer;
  #last = 0;

  constructor(
    world: Surroundings,
    name: string,
    {
      storeBytes = STORE_BYTES,
      site,
      loadOutside,
      loadReads,
      mayShare,
      kept,
      cached,
      ...engine
    }: Partial<WorldPeerOptions>,
  ) {
    this.#world = world;
    this.name = name;
    this.store = new MemoryStore(storeBytes);
    const { store } = this;
    const options = { name, site, store, sha256: nodeSha256, engine, loadOutside, loadReads, mayShare, kept, cached };
    this.#peer = new EnginePeer(world, options, (message) => this.#note(message));
    this.engine = this.#peer.engine;
  }

  get stats(): EngineStats {
    return this.engine.stats;
  }

  get warnings(): Extract<EngineNews, { type: 'warning' }>[] {
    return this.posts.filter((message) => message.type === 'warning');
  }

  peerEvents(state: 'connected' | 'gone' | 'banned'): number {
    return this.posts.filter((message) => message.type === 'peer' && message.state === state).length;
  }

  /** Asks for an asset by name, or by URL alone. */
  ask(
    asset: Pick<TestAsset, 'url'> & { readonly name: AssetName | null },
    more: Partial<LoadQuestion> & { readonly swarmName?: string } = {},
  ): Asking {
    const { swarmName, ...rest } = more;
    const id = ++this.#last;
    const clock = this.#world.clock;
    const { ask: put } = this.engine.asker((answer) => {
      if (answer.type === 'progress') {
        asking.progress.push(answer.loaded);
        if (answer.chunk) asking.chunks.push(answer.chunk);
        return;
      }
      if (answer.type === 'chunk') return;
      asking.answer = answer;
      asking.answeredAt = clock.now();
      this.#world.say?.(
        `${this.name} ${answer.type} ${asset.url}${answer.type === 'loaded' ? ` ${answer.source} ${sha(answer.body)}` : ''}`,
      );
    });
    const asking: Asking = {
      answer: null,
      progress: [],
      chunks: [],
      askedAt: clock.now(),
      answeredAt: NaN,
      abort: () => put({ type: 'abort', id }),
    };
    const swarm = swarmName === undefined ? null : swarmOfName(swarmName);
    put({
      type: 'load',
      id,
      url: asset.url,
      name: asset.name,
      swarm,
      deadline: null,
      age: 0,
      unlisted: 'fetch',
      range: null,
      ...rest,
    });
    return asking;
  }

  /** Asks, and lets time pass until the answer is there. */
  async get(asset: Parameters<WorldPeer['ask']>[0], more: Parameters<WorldPeer['ask']>[1] = {}): Promise<Got> {
    const asking = this.ask(asset, more);
    await this.#world.clock.until(() => asking.answer !== null);
    return gotOf(asking);
  }

  /** Reads bytes `[from, to)` of an asset piece by piece, as a service worker does. */
  read(asset: Pick<TestAsset, 'url' | 'name'>, more: Partial<ReadQuestion> = {}): PieceAsking {
    const id = ++this.#last;
    const asker = this.engine.asker((answer) => {
      if (answer.type === 'chunk') asking.bytes = Buffer.concat([asking.bytes, new Uint8Array(answer.bytes)]);
      else if (answer.type === 'progress') asking.told++;
      else asking.ended = answer.type;
    });
    const put = asker.ask;
    const asking: PieceAsking = {
      bytes: Buffer.alloc(0),
      told: 0,
      ended: null,
      pull: (bytes) => put({ type: 'pull', id, bytes }),
      abort: () => put({ type: 'abort', id }),
      close: () => asker.close(),
    };
    const { url, name } = asset;
    put({ type: 'read', id, url, name, range: null, from: 0, to: name.size, age: 0, pull: Infinity, ...more });
    return asking;
  }

  /** The browser dies: nothing is sent, nothing is said. */
  die(): void {
    this.#peer.die();
  }

  #note(message: EngineNews): void {
    this.posts.push(message);
    this.#world.say?.(`${this.name} post ${JSON.stringify(message)}`);
  }
}

export interface Got {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly source: string;
  readonly shared: boolean;
  readonly shareable: boolean | undefined;
  readonly contentType: string;
  /** From question to answer, ms. */
  readonly took: number;
}

/** What came, or an error that says why nothing did. */
export function gotOf({ answer, askedAt, answeredAt }: Asking): Got {
  if (answer?.type !== 'loaded') throw new Error(`expected an asset, got ${JSON.stringify(answer)}`);
  const { source, shared, shareable, contentType } = answer;
  return { body: new Uint8Array(answer.body), source, shared, shareable, contentType, took: answeredAt - askedAt };
}

const sha = (body: ArrayBuffer): string => createHash('sha256').update(new Uint8Array(body)).digest('hex').slice(0, 8);
