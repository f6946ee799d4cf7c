/** The way of one asset: store, then neighbours, then the origin. Same questions at the same time share one transfer. Owned by the Engine. */
import { nameOf } from '../../protocol/digest.ts';
import { P2PError } from '../../protocol/error.ts';
import type { AssetName, Digest, SwarmId } from '../../protocol/ids.ts';
import type { AssetAnswer, AssetQuestion, AssetSource, FromPage } from '../../protocol/page.ts';
import type { Clock, Store } from '../core/ports.ts';
import { waitUntil } from '../core/start-gate.ts';
import type { Changes } from './changes.ts';
import type { ManifestIndex } from './manifest-index.ts';
import type { Membership } from './membership.ts';
import { originFailed, readBody } from './origin-door.ts';
import { Transfer, type Transferred, type TransferPorts } from './transfer.ts';

export type LoadQuestion = Extract<AssetQuestion, { type: 'load' }>;
export type KeepMessage = Extract<FromPage, { type: 'keep' }>;
export type Reply = (answer: AssetAnswer) => void;

export interface AssetsPorts extends TransferPorts {
  readonly clock: Clock;
  readonly store: Store;
  readonly manifest: ManifestIndex;
  readonly membership: Membership;
  /** Wakes who waits for the mesh. */
  readonly changes: Changes;
  readonly countStoreBytes: (bytes: number) => void;
  readonly warn: (error: P2PError) => void;
}

interface Wanted {
  readonly url: string;
  readonly name: AssetName;
  readonly swarm: SwarmId;
  /** As the manifest says; '': as the origin says. */
  readonly contentType: string;
  /** When it is needed, on the engine's clock; Infinity: not known. */
  readonly neededAt: number;
}

interface Shared {
  readonly result: Promise<Transferred>;
  readonly controller: AbortController;
  readonly progress: Set<(loaded: number, total: number) => void>;
}

export class Assets {
  readonly #ports: AssetsPorts;
  readonly #staticSwarm: SwarmId;
  readonly #transfers = new Map<Digest, Shared>();
  /** Digests that the origin contradicted; not believed any more during this page visit. */
  readonly #contradicted = new Set<Digest>();
  readonly #firstAsked = new Map<SwarmId, number>();

  constructor(ports: AssetsPorts, staticSwarm: SwarmId) {
    this.#ports = ports;
    this.#staticSwarm = staticSwarm;
  }

  /** Answers once with `loaded`, `pass` or `failed`, with `progress` before; not at all once the signal is aborted. */
  async load(question: LoadQuestion, reply: Reply, signal: AbortSignal): Promise<void> {
    const { id, url } = question;
    const answer: Reply = (message) => {
      if (!signal.aborted) reply(message);
    };
    try {
      answer(await this.#answer(question, answer, signal));
    } catch (error) {
      const failure = error instanceof P2PError ? error : originFailed(url, String(error), 0);
      const { status } = failure.details;
      answer({
        type: 'failed',
        id,
        code: failure.code,
        message: failure.message,
        status: typeof status === 'number' ? status : 0,
      });
    }
  }

  async #answer(question: LoadQuestion, reply: Reply, signal: AbortSignal): Promise<AssetAnswer> {
    const { id, url, unlisted, range } = question;
    const listed = range === null && question.name === null ? await this.#ports.manifest.find(url) : null;
    const name = question.name ?? listed?.name ?? null;
    if (!name || range || this.#contradicted.has(name.digest))
      return unlisted === 'pass' ? { type: 'pass', id } : this.#plain(question, reply, signal);
    const swarm = question.swarm ?? this.#staticSwarm;
    const contentType = listed?.contentType ?? '';
    const stored = this.#ports.store.get(name.digest);
    if (stored) {
      this.#ports.countStoreBytes(stored.size);
      this.#ports.neighbours.hold(swarm, name.digest);
      return loaded(question, stored.body, contentType || stored.contentType, 'store', true);
    }
    const neededAt = question.deadline === null ? Infinity : this.#ports.clock.now() + question.deadline;
    await this.#waitForMesh(name.digest, swarm, question.age, signal);
    const got = await this.#transfer({ url, name, swarm, contentType, neededAt }, signal, (have, total) =>
      reply({ type: 'progress', id, loaded: have, total }),
    );
    return loaded(
      question,
      got.body,
      contentType || (got.origin?.contentType ?? ''),
      got.source,
      this.#ports.store.has(name.digest),
      got.origin?.url,
    );
  }

  /** Without a digest, and for ranges: the origin, as the page itself would have asked, for the page alone. */
  async #plain(question: LoadQuestion, reply: Reply, signal: AbortSignal): Promise<AssetAnswer> {
    const { id, url, range } = question;
    const response = await this.#ports.origin({ url, range, credentials: 'same-origin', signal });
    if (response.status !== 200 && response.status !== 206)
      throw originFailed(url, `status ${response.status}`, response.status);
    const body = await readBody(url, response, (have) =>
      reply({ type: 'progress', id, loaded: have, total: response.size ?? 0 }),
    );
    return loaded(question, body, response.contentType, 'origin', false, response.url);
  }

  /** Takes what the page had from the origin itself, if the manifest lists it. */
  async keep({ url, swarm, body, contentType, shareable }: KeepMessage): Promise<void> {
    const listed = await this.#ports.manifest.find(url);
    if (!listed || this.#contradicted.has(listed.name.digest)) return;
    const bytes = new Uint8Array(body);
    const { digest, leaves } = await nameOf(bytes, this.#ports.sha256);
    this.#keep(
      {
        url,
        name: listed.name,
        swarm: swarm ?? this.#staticSwarm,
        contentType: listed.contentType,
        neededAt: Infinity,
      },
      {
        body: bytes,
        leaves: digest === listed.name.digest ? leaves : null,
        source: 'origin',
        origin: { contentType, shareable, url },
      },
    );
  }

  /** Until a neighbour holds the asset or there is nothing to wait for. Bounded from the first request of the swarm on, so that only the start can be held up. */
  async #waitForMesh(digest: Digest, swarm: SwarmId, age: number, signal: AbortSignal): Promise<void> {
    const { clock, neighbours, membership, changes } = this.#ports;
    const requestedAt = this.#firstAsked.get(swarm) ?? clock.now() - age;
    this.#firstAsked.set(swarm, requestedAt);
    membership.enter(swarm);
    while (!signal.aborted && neighbours.holders(digest).length === 0) {
      const wait = waitUntil(membership.view(swarm), requestedAt) - clock.now();
      if (wait <= 0) return;
      await changes.next(wait);
    }
  }

  async #transfer(
    wanted: Wanted,
    signal: AbortSignal,
    progress: (loaded: number, total: number) => void,
  ): Promise<Transferred> {
    signal.throwIfAborted();
    const { digest } = wanted.name;
    const shared = this.#transfers.get(digest) ?? this.#start(wanted);
    shared.progress.add(progress);
    const leave = (): void => {
      shared.progress.delete(progress);
      if (shared.progress.size > 0) return;
      // Nobody wants it any more: whoever asks from now on starts anew.
      this.#transfers.delete(digest);
      shared.controller.abort();
    };
    signal.addEventListener('abort', leave);
    try {
      return await shared.result;
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  #start(wanted: Wanted): Shared {
    const { url, name, neededAt } = wanted;
    const controller = new AbortController();
    const progress: Shared['progress'] = new Set();
    const transfer = new Transfer(this.#ports, url, name, neededAt, controller.signal, (have, total) => {
      for (const tell of progress) tell(have, total);
    });
    const result = transfer.run().then((got) => {
      this.#keep(wanted, got);
      return got;
    });
    const shared: Shared = { result, controller, progress };
    this.#transfers.set(name.digest, shared);
    const forget = (): void => {
      if (this.#transfers.get(name.digest) === shared) this.#transfers.delete(name.digest);
    };
    result.then(forget, forget);
    return shared;
  }

  #keep({ url, name, swarm, contentType }: Wanted, got: Transferred): void {
    this.#ports.trace('assets', () => `${url} from ${got.source}`);
    if (!got.leaves) {
      this.#contradicted.add(name.digest);
      this.#ports.warn(
        new P2PError(
          'digest-mismatch',
          `The origin's ${url} is not what its digest names: shown, but not shared. Write manifest and playlist tags anew.`,
          { url, ...name },
        ),
      );
      return;
    }
    if (got.origin && !got.origin.shareable) return;
    const { store, neighbours } = this.#ports;
    neighbours.lose(
      store.put({
        ...name,
        body: got.body,
        leaves: got.leaves,
        contentType: contentType || (got.origin?.contentType ?? ''),
      }),
    );
    if (store.has(name.digest)) neighbours.hold(swarm, name.digest);
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
): AssetAnswer {
  return { type: 'loaded', id: question.id, body: body.slice().buffer, contentType, source, shared, url };
}
