/** The way of one asset: store, then neighbours, then the origin. Same questions at the same time share one transfer. Owned by the Engine. */
import { nameOf } from '../../protocol/digest.ts';
import { P2PError } from '../../protocol/error.ts';
import { BLOCK_BYTES } from '../../protocol/limits.ts';
import { isAssetSize, type Digest, type SwarmId } from '../../protocol/ids.ts';
import type { AssetAnswer, AssetQuestion, AssetSource, Expected, FromPage } from '../../protocol/page.ts';
import { MANIFEST_WAIT_MS, MAX_LATE_BYTES, PROGRESS_EVERY_MS } from '../core/limits.ts';
import type { Ports, StoredAsset } from '../core/ports.ts';
import type { ListedAsset, ManifestIndex } from './manifest-index.ts';
import type { Membership } from './membership.ts';
import { swarmOfName } from '../../protocol/swarm.ts';
import { originFailed, readBody, statusOf } from './origin-door.ts';
import type { ByUrl, FreshFor } from './by-url.ts';
import { SharedTransfers, type Progress, type SharedTransfersPorts, type Use } from './shared-transfers.ts';
import type { Transferred } from './transfer.ts';
import type { Wanted } from './wanted.ts';
import type { UnderWay } from './under-way.ts';

export type LoadQuestion = Extract<AssetQuestion, { type: 'load' }>;
export type ReadQuestion = Extract<AssetQuestion, { type: 'read' }>;
type Loaded = Extract<AssetAnswer, { type: 'loaded' }>;
export type Reply = (answer: AssetAnswer) => void;

/** The same also of what no peer may have. */
type AnyProgress = (loaded: number, total: number, underWay?: UnderWay) => void;

interface AnyTaker {
  readonly progress: AnyProgress;
  readonly use: Use;
}

export interface AssetsPorts extends Omit<SharedTransfersPorts, 'done' | 'isKept'>, Pick<Ports, 'store' | 'cached'> {
  readonly manifest: ManifestIndex;
  readonly membership: Membership;
  /** Shares what has no digest; null: the page does not want that. */
  readonly loadByUrl: LoadByUrl | null;
  /** Tells which URLs the page lets be shared; null: all. */
  readonly mayShare: Promise<(url: string) => boolean> | null;
  readonly countStoreBytes: (bytes: number) => void;
  /** Somebody else asked the origin for so many. */
  readonly countOriginBytes: (bytes: number) => void;
  readonly warn: (error: P2PError) => void;
}

/** Loads what shares assets without a digest. */
export type LoadByUrl = () => Promise<{ readonly ByUrl: typeof ByUrl; readonly freshFor: FreshFor }>;

/** What came from the origin by its URL alone. */
export type Kept = Omit<Extract<FromPage, { type: 'keep' }>, 'type' | 'body'> & {
  readonly body: Uint8Array<ArrayBuffer>;
};

/** A whole asset for who reads it piece by piece. */
export interface Read {
  /** The engine's own: who passes bytes on copies them. */
  readonly body: Uint8Array<ArrayBuffer>;
  /** Is it the asset, and not other bytes that the origin gave in its place? */
  readonly isRight: boolean;
}

export class Assets {
  readonly #ports: AssetsPorts;
  readonly #home: SwarmId;
  readonly #transfers: SharedTransfers;
  /** Digests that the origin contradicted; not believed any more during this page visit. */
  readonly #contradicted = new Set<Digest>();
  /** Bytes that wait for a manifest that is late. */
  #late = 0;
  readonly #firstAsked = new Map<SwarmId, number>();
  readonly #byUrl: Promise<ByUrl | null>;

  constructor(ports: AssetsPorts, home: SwarmId) {
    this.#ports = ports;
    this.#home = home;
    this.#transfers = new SharedTransfers({
      ...ports,
      done: (wanted, got) => this.#keep(wanted, got),
      isKept: (digest) => ports.store.has(digest),
    });
    this.#byUrl = this.#startByUrl();
    ports.store.listen((digests) => ports.neighbours.announcements.lose(digests));
  }

  /** Null: what has no digest is not shared. */
  async #startByUrl(): Promise<ByUrl | null> {
    try {
      const loaded = await this.#ports.loadByUrl?.();
      const swarm = swarmOfName(`${this.#home} by URL`);
      if (!loaded) return null;
      this.#ports.membership.enter(swarm);
      return new loaded.ByUrl({ ...this.#ports, ...loaded, transfers: this.#transfers, swarm });
    } catch (error) {
      this.#ports.trace('assets', () => `nothing by URL: ${String(error)}`);
      return null;
    }
  }

  /** Answers once with `loaded`, `pass` or `failed`, with `progress` now and then before; not at all once the signal is aborted. */
  async load(question: LoadQuestion, reply: Reply, signal: AbortSignal, use: Use): Promise<void> {
    const { id, url } = question;
    const answer: Reply = (message) => {
      if (!signal.aborted) reply(message);
    };
    try {
      answer(await this.#answer(question, { progress: this.#progress(question, answer), use }, signal));
    } catch (error) {
      const failure = error instanceof P2PError ? error : originFailed(url, String(error), 0);
      answer({ type: 'failed', id, code: failure.code, message: failure.message, status: statusOf(failure) });
    }
  }

  /** Now and then, and at the end. */
  #progress({ id, streamed }: LoadQuestion, answer: Reply): AnyProgress {
    const { clock } = this.#ports;
    let toldAt = -Infinity;
    let given = 0;
    return (loaded, total, underWay) => {
      if (loaded !== total && clock.now() - toldAt < PROGRESS_EVERY_MS) return;
      toldAt = clock.now();
      const chunk = streamed ? underWay?.checkedFrom(given) : undefined;
      const leaves = given === 0 && chunk?.byteLength ? underWay?.leaves?.slice().buffer : undefined;
      given += chunk?.byteLength ?? 0;
      answer({ type: 'progress', id, loaded, total, chunk, leaves });
    };
  }

  async #answer(question: LoadQuestion, taker: AnyTaker, signal: AbortSignal): Promise<AssetAnswer> {
    const { url, range, name } = question;
    const { manifest, clock } = this.#ports;
    if (range !== null || name !== null) return this.#answerListed(question, null, taker, signal);
    const listed = await manifest.find(url);
    try {
      return await this.#answerListed(question, listed, taker, signal);
    } catch (error) {
      if (listed || signal.aborted || (statusOf(error) > 0 && statusOf(error) < 500)) throw error;
      // Where the origin is gone the manifest comes late, and is that of an earlier visit.
      await Promise.race([manifest.settled, new Promise<void>((late) => clock.after(MANIFEST_WAIT_MS, late))]);
      const late = await manifest.find(url);
      if (!late) throw error;
      return this.#answerListed(question, late, taker, signal);
    }
  }

  async #answerListed(
    question: LoadQuestion,
    listed: ListedAsset | null,
    taker: AnyTaker,
    signal: AbortSignal,
  ): Promise<AssetAnswer> {
    const { id, url, unlisted, range } = question;
    const mayShare = (question.name ?? question.use) && (await this.#ports.mayShare);
    const isForbidden = mayShare?.(url) === false;
    const name = isForbidden ? null : (question.name ?? listed?.name ?? null);
    if (!name || (range && range.end - range.start !== name.size) || this.#contradicted.has(name.digest)) {
      const answer =
        name || isForbidden || range || !question.use ? null : await this.#shareByUrl(question, taker, signal);
      return answer ?? (unlisted === 'pass' ? { type: 'pass', id } : this.#plain(question, taker, signal));
    }
    const swarm = question.swarm ?? this.#home;
    const contentType = listed?.contentType ?? '';
    const stored = await this.#stored(name.digest);
    if (stored) {
      this.#fromStore(stored.size, taker.use);
      this.#ports.neighbours.announcements.hold(swarm, name.digest);
      return loaded(question, stored.body, contentType || stored.contentType, 'store', true);
    }
    const neededAt = this.#neededAt(question);
    const startedAt = this.#startedAt(swarm, question.age);
    const wanted = { url, name, range, swarm, contentType, neededAt, startedAt };
    if (question.begun) await this.#transfers.begin(name, question.begun);
    const got = await this.#transfers.take(wanted, signal, taker);
    // Chunks may have been given that are not of this: whoever asks again has it whole.
    if (question.streamed === true && got.replaces) throw originFailed(url, 'other bytes', 0);
    return loaded(
      question,
      got.body,
      contentType || (got.origin?.contentType ?? ''),
      got.source,
      this.#ports.store.has(name.digest),
      got.origin?.url,
    );
  }

  /** Without a digest, where the page lets that be shared too. Null: it does not, or the origin does not. */
  async #shareByUrl(question: LoadQuestion, taker: AnyTaker, signal: AbortSignal): Promise<AssetAnswer | null> {
    const { id, url, age, unlisted } = question;
    const byUrl = await this.#byUrl;
    // Another origin hides what its answers differ by, and their age.
    if (!byUrl || !url.startsWith(`${this.#home}/`)) return null;
    const startedAt = this.#startedAt(byUrl.swarm, age);
    const asset = await byUrl.load(
      { url, neededAt: this.#neededAt(question), startedAt, bringsItself: unlisted === 'pass' },
      taker,
      signal,
    );
    if (asset === 'brings') return { type: 'pass', id, brings: true };
    if (!asset) return null;
    const answer = loaded(question, asset.body, asset.contentType, asset.source, asset.shared, asset.url);
    return { ...answer, digest: asset.digest };
  }

  /** The service worker has brought what it was told to. */
  async brought({ url, answer }: Extract<AssetQuestion, { type: 'brought' }>, use: Use): Promise<void> {
    if (answer && answer !== 'private') {
      this.#ports.countOriginBytes(answer.body.byteLength);
      use('origin', answer.body.byteLength);
    }
    await (await this.#byUrl)?.brought(url, answer);
  }

  /** Without a digest: the origin, as the page itself would have asked, for the page alone. If it was only the manifest that came late, others may have it once it is there. */
  async #plain(question: LoadQuestion, { progress, use }: AnyTaker, signal: AbortSignal): Promise<Loaded> {
    const { url, range, swarm } = question;
    const mayBeListed = range === null && this.#ports.manifest.isLoading;
    const response = await this.#ports.origin({ url, range, credentials: 'same-origin', signal }, (bytes) =>
      use('origin', bytes),
    );
    if (response.status !== 200 && response.status !== 206)
      throw originFailed(url, `status ${response.status}`, response.status);
    const body = await readBody(url, response, (_, have) => progress(have, response.size ?? 0));
    const { contentType, shareable } = response;
    if (mayBeListed && shareable) void this.keep({ url, swarm, body, contentType, shareable }, true);
    return { ...loaded(question, body, contentType, 'origin', false, response.url), shareable };
  }

  /**
   * For who reads an asset piece by piece, from a byte on. `coming` hears when more of it is here.
   * @returns all of it; null: the manifest does not list it so (any more), and the origin is to be asked as the page would have
   * @throws P2PError `origin-failed`
   */
  async read(
    { url, name, range, from, to, age }: ReadQuestion,
    coming: (underWay: UnderWay) => void,
    signal: AbortSignal,
    use: Use,
  ): Promise<Read | null> {
    const { manifest, neighbours } = this.#ports;
    const { digest } = name;
    const listed = await manifest.part(url, range?.start ?? 0);
    if (listed?.name.digest !== digest || listed.name.size !== name.size || this.#contradicted.has(digest)) return null;
    const { contentType } = listed;
    const swarm = this.#home;
    const stored = await this.#stored(digest);
    if (stored) {
      this.#fromStore(to - from, use);
      neighbours.announcements.hold(swarm, digest);
      return { body: stored.body, isRight: true };
    }
    const startedAt = this.#startedAt(swarm, age);
    const wanted = { url, name, range, swarm, contentType, neededAt: Infinity, startedAt };
    const progress: Progress = (_loaded, _total, underWay) => coming(underWay);
    const got = await this.#transfers.take(
      wanted,
      signal,
      { progress, use },
      {
        block: Math.floor(from / BLOCK_BYTES),
        isChecked: from > 0 || to < name.size || (range?.start ?? 0) > 0,
      },
    );
    return { body: got.body, isRight: got.leaves !== null };
  }

  /** Somebody else gave so many bytes of these from the disk. */
  served(digests: readonly Digest[], bytes: number, use: Use): void {
    this.#fromStore(bytes, use);
    for (const digest of digests) this.#ports.store.used(digest);
  }

  /** Takes what came from the origin by its URL alone, if it has a name by now, or the manifest lists it. @param mayBeOld it may be of the browser's own cache: then other bytes say nothing against the origin */
  async keep({ url, swarm, name, body, contentType, shareable }: Kept, mayBeOld = name !== undefined): Promise<void> {
    if (!isAssetSize(body.length)) return;
    if ((await this.#ports.mayShare)?.(url) === false) return;
    const listed = name ? { name, contentType: '' } : await this.#listedAtLast(url, body.length);
    if (!listed || this.#contradicted.has(listed.name.digest)) return;
    const { digest, leaves } = await nameOf(body, this.#ports.sha256);
    if (mayBeOld && digest !== listed.name.digest) return;
    const of = swarm ?? this.#home;
    this.#keep(
      { url, ...listed, range: null, swarm: of, neededAt: Infinity, startedAt: 0 },
      {
        body,
        leaves: digest === listed.name.digest ? leaves : null,
        source: 'origin',
        origin: { contentType, shareable, url },
      },
    );
    if (mayBeOld && this.#ports.store.has(digest)) this.#ports.crossings.crossed(of, digest);
  }

  /** What the page has loaded without us: if the manifest lists it, from the browser's own cache, else as any other asset. An old copy counts as none. */
  async takeSeen(url: string): Promise<void> {
    const { sha256, cached } = this.#ports;
    const listed = await this.#listedAtLast(url);
    if (!listed || this.#contradicted.has(listed.name.digest) || (await this.#stored(listed.name.digest))) return;
    const answer = await cached(url);
    if (answer?.body.length !== listed.name.size || (await nameOf(answer.body, sha256)).digest !== listed.name.digest)
      return this.bring(this.#home, { url, name: listed.name, within: Infinity }, new AbortController().signal);
    return this.keep({ url, swarm: null, ...answer });
  }

  /** The manifest has been asked for again: digests that the origin contradicted may be in it no more. */
  believe(): void {
    this.#contradicted.clear();
  }

  /** What is on its way and may be handed on. */
  underWay(digest: Digest): UnderWay | undefined {
    return this.#transfers.underWay(digest);
  }

  /** A player says what it needs, and when: after a seek perhaps sooner than it asked for it. */
  expect(assets: readonly Expected[]): void {
    for (const asset of assets) this.#transfers.expect(asset);
  }

  /** Brings an asset for others, or ahead of time. Resolves when it is here, could not be had, or nobody wants it any more. */
  async bring(swarm: SwarmId, { url, name, range, within }: Expected, signal: AbortSignal): Promise<void> {
    if (this.#contradicted.has(name.digest) || this.#ports.store.has(name.digest)) return;
    if ((await this.#ports.mayShare)?.(url) === false) return;
    const neededAt = this.#ports.clock.now() + within;
    const startedAt = this.#startedAt(swarm, 0);
    const wanted = { url, name, range: range ?? null, swarm, contentType: '', neededAt, startedAt };
    await this.#transfers
      .take(wanted, signal, { progress: () => undefined, use: null })
      .catch((error: unknown) => this.#ports.trace('assets', () => `${url}: ${String(error)}`));
  }

  /** What the manifest says of a URL, however late, for nobody waits. @param bytes that wait for it: too many do not */
  async #listedAtLast(url: string, bytes = 0): Promise<ListedAsset | null> {
    const { manifest } = this.#ports;
    if (manifest.isLoading && this.#late + bytes > MAX_LATE_BYTES) return null;
    this.#late += bytes;
    await manifest.settled;
    this.#late -= bytes;
    return manifest.find(url);
  }

  #fromStore(bytes: number, use: Use): void {
    this.#ports.countStoreBytes(bytes);
    use('store', bytes);
  }

  async #stored(digest: Digest): Promise<StoredAsset | undefined> {
    await this.#ports.store.ready;
    return this.#ports.store.has(digest) ? this.#ports.store.read(digest) : undefined;
  }

  #neededAt({ deadline }: LoadQuestion): number {
    return deadline === null ? Infinity : this.#ports.clock.now() + deadline;
  }

  /** When the first asset of a swarm was asked for, so that only the start can be held up. */
  #startedAt(swarm: SwarmId, age: number): number {
    const startedAt = this.#firstAsked.get(swarm) ?? this.#ports.clock.now() - age;
    this.#firstAsked.set(swarm, startedAt);
    this.#ports.membership.enter(swarm);
    return startedAt;
  }

  #keep({ url, name, swarm, contentType }: Wanted, got: Transferred): void {
    this.#ports.trace('assets', () => `${url} from ${got.source}`);
    if (!got.leaves) {
      if (name.urlKey !== undefined) return; // A neighbour's word.
      this.#contradicted.add(name.digest);
      this.#ports.warn(
        new P2PError(
          'digest-mismatch',
          `The origin's ${url} is not what its digest names: shown, not shared. Hash it anew.`,
          { url, ...name },
        ),
      );
      return;
    }
    if (got.origin && !got.origin.shareable) return;
    const { store, neighbours } = this.#ports;
    const { announcements } = neighbours;
    store.put({
      ...name,
      body: got.body,
      leaves: got.leaves,
      contentType: contentType || (got.origin?.contentType ?? ''),
    });
    if (store.has(name.digest)) announcements.hold(swarm, name.digest);
  }
}

/** The asker gets a copy: what it does with its bytes must not touch the store's. */
function loaded(
  question: LoadQuestion,
  body: Uint8Array<ArrayBuffer>,
  contentType: string,
  source: AssetSource,
  shared: boolean,
  url = question.url,
): Loaded {
  return { type: 'loaded', id: question.id, body: body.slice().buffer, contentType, source, shared, url };
}
