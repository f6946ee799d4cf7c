import type { Loader, LoaderCallbacks, LoaderConfiguration, LoaderContext, LoaderStats } from 'hls.js';
import { P2PError } from '../../protocol/error.ts';

/** What a loader got. */
export interface Loaded {
  readonly data: ArrayBuffer | string;
  readonly bytes: number;
  /** After redirects. */
  readonly url: string;
}

/** What a request tells while it is under way. */
export interface Listener {
  readonly onProgress: (loaded: number, total: number) => void;
  /** The next bytes, in order from the first on; what comes last is in what the request resolves to alone. Missing where hls.js wants all at once. */
  readonly onChunk?: (chunk: ArrayBuffer) => void;
}

/**
 * An hls.js loader that asks the mesh in place of an XMLHttpRequest. It serves one request, keeps the timeouts of hls.js's load policy, and
 * reports as hls.js's own loader does; trying again is left to hls.js.
 */
export abstract class MeshLoader<Context extends LoaderContext> implements Loader<Context> {
  context: Context | null = null;
  readonly stats: LoaderStats = {
    aborted: false,
    loaded: 0,
    retry: 0,
    total: 0,
    chunkCount: 0,
    bwEstimate: 0,
    loading: { start: 0, first: 0, end: 0 },
    parsing: { start: 0, end: 0 },
    buffering: { start: 0, first: 0, end: 0 },
  };
  /** Does the time until the first byte count in `stats`? */
  protected readonly countsWaiting: boolean = true;
  readonly #scope = new AbortController();
  #startedAt = 0;
  /** Bytes that hls.js has already. */
  #given = 0;
  #callbacks: LoaderCallbacks<Context> | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  protected abstract request(context: Context, signal: AbortSignal, listener: Listener): Promise<Loaded>;

  load(context: Context, config: LoaderConfiguration, callbacks: LoaderCallbacks<Context>): void {
    const { maxTimeToFirstByteMs, maxLoadTimeMs } = config.loadPolicy;
    this.context = context;
    this.#callbacks = callbacks;
    this.#startedAt = this.stats.loading.start = performance.now();
    const waitMs =
      Number.isFinite(maxTimeToFirstByteMs) && maxTimeToFirstByteMs > 0 ? maxTimeToFirstByteMs : maxLoadTimeMs;
    this.#setTimeout(waitMs);
    void this.#run(context, {
      onProgress: (loaded, total) => {
        if (this.#scope.signal.aborted) return;
        this.stats.loaded = loaded;
        if (total > 0) this.stats.total = total;
        if (loaded === 0 || this.stats.loading.first > 0) return;
        this.#markFirstByte();
        this.#setTimeout(maxLoadTimeMs - (this.stats.loading.first - this.#startedAt));
        if (!this.countsWaiting) this.stats.loading.start = this.stats.loading.first;
      },
      ...(callbacks.onProgress && { onChunk: (chunk) => this.#give(context, chunk) }),
    });
  }

  abort(): void {
    const { context } = this;
    const callbacks = this.#callbacks;
    this.#end();
    if (context) callbacks?.onAbort?.(this.stats, context, null);
  }

  destroy(): void {
    this.#end();
    this.context = null;
  }

  async #run(context: Context, listener: Listener): Promise<void> {
    const { signal } = this.#scope;
    try {
      const loaded = await this.request(context, signal, listener);
      if (!signal.aborted) this.#succeed(context, loaded);
    } catch (error) {
      if (signal.aborted) return;
      clearTimeout(this.#timer);
      const text = error instanceof Error ? error.message : String(error);
      this.#callbacks?.onError({ code: statusOf(error), text }, context, null, this.stats);
    }
  }

  #succeed(context: Context, { data, bytes, url }: Loaded): void {
    clearTimeout(this.#timer);
    const { stats } = this;
    if (stats.loading.first === 0) this.#markFirstByte();
    stats.loading.end = Math.max(performance.now(), stats.loading.first);
    stats.loaded = stats.total = bytes;
    this.#give(context, typeof data === 'string' || this.#given === 0 ? data : data.slice(this.#given));
    this.#callbacks?.onSuccess({ url, data, code: 200 }, stats, context, null);
  }

  #give(context: Context, data: ArrayBuffer | string): void {
    if (typeof data !== 'string') this.#given += data.byteLength;
    this.#callbacks?.onProgress?.(this.stats, context, data, null);
  }

  #markFirstByte(): void {
    this.stats.loading.first = Math.max(performance.now(), this.stats.loading.start);
  }

  #setTimeout(milliseconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const { context } = this;
      const callbacks = this.#callbacks;
      this.#end();
      if (context) callbacks?.onTimeout(this.stats, context, null);
    }, milliseconds);
  }

  /** Ends the request if it is under way. Nothing is reported after this. */
  #end(): void {
    clearTimeout(this.#timer);
    if (this.#callbacks && this.stats.loading.end === 0) this.stats.aborted = true;
    this.#callbacks = null;
    this.#scope.abort();
  }
}

/** The origin's HTTP status that made a load fail; 0: it gave no answer. */
export function statusOf(error: unknown): number {
  const status = error instanceof P2PError ? error.details['status'] : 0;
  return typeof status === 'number' ? status : 0;
}
