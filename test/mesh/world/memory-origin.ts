import type { OriginFetch, OriginRequest, OriginResponse } from '../../../mesh/core/ports.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** What the origin has under one URL, and how it behaves there. */
export interface Resource {
  body: Uint8Array<ArrayBuffer>;
  contentType: string;
  /** As Cache-Control allows. */
  shareable: boolean;
  /** Answers 401 to who comes without cookies. */
  wantsCookie: boolean;
  status: number;
  /** The answer breaks off cleanly after so many bytes, although more were announced. */
  truncateAt: number;
  takesRanges: boolean;
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

const CHUNK = 32 * 1024;

/** An HTTP server in memory. */
export class MemoryOrigin {
  reachable = true;
  /** To the first byte, ms. */
  latency = 40;
  bytesPerMillisecond = 2000;
  readonly requests: LoggedRequest[] = [];
  readonly #clock: VirtualClock;
  readonly #log: (line: string) => void;
  readonly #resources = new Map<string, Resource>();

  constructor(clock: VirtualClock, log: (line: string) => void) {
    this.#clock = clock;
    this.#log = log;
  }

  put(url: string, body: Uint8Array<ArrayBuffer>, how: Partial<Resource> = {}): void {
    this.#resources.set(url, {
      body,
      contentType: 'video/mp2t',
      shareable: true,
      wantsCookie: false,
      status: 200,
      truncateAt: Infinity,
      takesRanges: true,
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

  fetchFor(by: string): OriginFetch {
    return async (request) => {
      const { url, range, credentials, signal } = request;
      const logged: LoggedRequest = { by, url, range, credentials, at: this.#clock.now(), sent: 0, state: 'under way' };
      this.requests.push(logged);
      this.#log(`${by} GET ${url}${range ? ` ${range.start}-${range.end}` : ''} ${credentials}`);
      signal.addEventListener('abort', () => {
        if (logged.state === 'under way') logged.state = 'aborted';
      });
      await this.#clock.wait(this.latency);
      signal.throwIfAborted();
      if (!this.reachable) throw new TypeError('fetch failed');
      return this.#answer(request, logged);
    };
  }

  #answer({ url, range, credentials, signal }: OriginRequest, logged: LoggedRequest): OriginResponse {
    const found = this.#resources.get(url);
    const denied = found?.wantsCookie === true && credentials === 'omit';
    const partial = range !== null && found?.takesRanges === true;
    const status = denied ? 401 : (found?.status ?? 404) === 200 ? (partial ? 206 : 200) : (found?.status ?? 404);
    const start = partial ? range.start : 0;
    const body =
      status < 300 && found ? found.body.subarray(start, partial ? range.end : undefined) : new Uint8Array(0);
    const chunks = this.#chunks(body.subarray(0, found?.truncateAt), signal, logged);
    return {
      status,
      url,
      contentType: found?.contentType ?? '',
      size: body.length,
      start,
      shareable: (found?.shareable ?? false) && status < 300,
      chunks,
    };
  }

  async *#chunks(
    body: Uint8Array<ArrayBuffer>,
    signal: AbortSignal,
    logged: LoggedRequest,
  ): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    for (let offset = 0; offset < body.length; offset += CHUNK) {
      const chunk = body.slice(offset, offset + CHUNK);
      await this.#clock.wait(chunk.length / this.bytesPerMillisecond);
      signal.throwIfAborted();
      if (!this.reachable) throw new TypeError('terminated');
      logged.sent += chunk.length;
      yield chunk;
    }
    logged.state = 'answered';
  }
}
