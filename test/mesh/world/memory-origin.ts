import type { OriginFetch, OriginRequest, OriginResponse } from '../../../mesh/core/ports.ts';
import { Flow, type Route } from './flow.ts';
import type { Log } from './network.ts';
import { Pipe } from './pipe.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** What the origin has under one URL, and how it behaves there. */
export interface Resource {
  body: Uint8Array<ArrayBuffer>;
  contentType: string;
  headers: Readonly<Record<string, string>>;
  /** As Cache-Control allows. */
  shareable: boolean;
  /** Answers 401 to who comes without cookies. */
  wantsCookie: boolean;
  status: number;
  /** The answer breaks off cleanly after so many bytes, although more were announced. */
  truncateAt: number;
  takesRanges: boolean;
  /** No header tells how long it is. */
  hidesSize: boolean;
  /** Never answered. */
  hangs: boolean;
}

export interface LoggedRequest {
  readonly by: string;
  readonly url: string;
  readonly range: OriginRequest['range'];
  readonly credentials: OriginRequest['credentials'];
  readonly at: number;
  sent: number;
  state: 'under way' | 'answered' | 'aborted';
}

/** An HTTP server in memory. */
export class MemoryOrigin {
  reachable = true;
  /** To the first byte, ms. */
  latency = 40;
  bytesPerMillisecond = 2000;
  /** Of an answer's body that come at a time. */
  chunkBytes = 32 * 1024;
  /** The way to this peer, which adds its latency; unless told otherwise each answer has a line of its own. */
  route: (to: string) => Route = () => ({
    pipes: [new Pipe(this.#clock, this.bytesPerMillisecond)],
    gate: null,
    latency: 0,
    window: this.chunkBytes,
  });
  readonly requests: LoggedRequest[] = [];
  readonly #clock: VirtualClock;
  readonly #log: Log | null;
  readonly #resources = new Map<string, Resource>();
  /** Answers under way to each peer. */
  readonly #flows = new Map<string, Set<Flow<Uint8Array<ArrayBuffer>>>>();

  constructor(clock: VirtualClock, log: Log | null) {
    this.#clock = clock;
    this.#log = log;
  }

  put(url: string, body: Uint8Array<ArrayBuffer>, how: Partial<Resource> = {}): void {
    this.#resources.set(url, {
      body,
      contentType: 'video/mp2t',
      headers: {},
      shareable: true,
      wantsCookie: false,
      status: 200,
      truncateAt: Infinity,
      takesRanges: true,
      hidesSize: false,
      hangs: false,
      ...how,
    });
  }

  /** Requests by this peer for this URL. */
  asked(by: string, url?: string): LoggedRequest[] {
    return this.requests.filter((request) => request.by === by && (url === undefined || request.url === url));
  }

  /** Bytes that went to this peer. */
  sentTo(by: string): number {
    return this.asked(by).reduce((sum, { sent }) => sum + sent, 0);
  }

  /** This peer died: nothing more goes to it. */
  drop(by: string): void {
    for (const flow of this.#flows.get(by) ?? []) flow.hangUp();
    this.#flows.delete(by);
  }

  fetchFor(by: string): OriginFetch {
    this.#flows.set(by, new Set());
    return async (request) => {
      const { url, range, credentials, signal } = request;
      const logged: LoggedRequest = { by, url, range, credentials, at: this.#clock.now(), sent: 0, state: 'under way' };
      this.requests.push(logged);
      this.#log?.(`${by} GET ${url}${range ? ` ${range.start}-${range.end}` : ''} ${credentials}`);
      signal.addEventListener('abort', () => {
        if (logged.state === 'under way') logged.state = 'aborted';
      });
      const route = this.route(by);
      await this.#clock.wait(this.latency + route.latency);
      signal.throwIfAborted();
      if (this.#resources.get(url)?.hangs === true)
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
      if (!this.reachable) throw new TypeError('fetch failed');
      return this.#answer(request, logged, route);
    };
  }

  #answer({ url, range, credentials, signal }: OriginRequest, logged: LoggedRequest, route: Route): OriginResponse {
    const found = this.#resources.get(url);
    const denied = found?.wantsCookie === true && credentials === 'omit';
    const partial = range !== null && found?.takesRanges === true;
    const status = denied ? 401 : (found?.status ?? 404) === 200 ? (partial ? 206 : 200) : (found?.status ?? 404);
    const start = partial ? range.start : 0;
    const body =
      status < 300 && found ? found.body.subarray(start, partial ? range.end : undefined) : new Uint8Array(0);
    const chunks = this.#chunks(body.subarray(0, found?.truncateAt), signal, logged, route);
    return {
      status,
      url,
      contentType: found?.contentType ?? '',
      headers: found?.headers ?? {},
      size: found?.hidesSize === true ? null : body.length,
      start,
      shareable: (found?.shareable ?? false) && status < 300,
      chunks,
    };
  }

  async *#chunks(
    body: Uint8Array<ArrayBuffer>,
    signal: AbortSignal,
    logged: LoggedRequest,
    route: Route,
  ): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    const arrived: Uint8Array<ArrayBuffer>[] = [];
    let wake = (): void => undefined;
    const flow = new Flow<Uint8Array<ArrayBuffer>>(this.#clock, route, {
      left: (_, bytes) => (logged.sent += bytes),
      arrived: (chunk) => {
        arrived.push(chunk);
        wake();
      },
    });
    // Whoever died meanwhile gets nothing.
    const flows = this.#flows.get(logged.by) ?? (await new Promise<never>(() => undefined));
    flows.add(flow);
    signal.addEventListener('abort', () => wake());
    try {
      for (let offset = 0; offset < body.length; offset += this.chunkBytes) {
        const chunk = body.slice(offset, offset + this.chunkBytes);
        flow.send(chunk, chunk.length);
      }
      for (let due = body.length; due > 0;) {
        if (arrived.length === 0) await new Promise<void>((resolve) => (wake = resolve));
        signal.throwIfAborted();
        if (!this.reachable) throw new TypeError('terminated');
        const chunk = arrived.shift();
        if (!chunk) continue;
        due -= chunk.length;
        yield chunk;
      }
      logged.state = 'answered';
    } finally {
      flows.delete(flow);
      flow.hangUp();
    }
  }
}
