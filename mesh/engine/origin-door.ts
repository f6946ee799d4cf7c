/** All requests to the origin go through here: bytes are counted and we notice whether it answers. Owned by the Engine. */
import { P2PError } from '../../protocol/error.ts';
import type { OriginFetch, OriginRequest, OriginResponse } from '../core/ports.ts';

/** As an OriginFetch; `counted` hears of the bytes too. */
export type CountedFetch = (request: OriginRequest, counted?: (bytes: number) => void) => Promise<OriginResponse>;

export class OriginDoor {
  readonly #fetch: OriginFetch;
  readonly #counted: (bytes: number) => void;
  readonly #reachability: (reachable: boolean) => void;

  /** Web origins that have answered, and the page's own: only these can be gone; what another lacks may be CORS. */
  readonly #known = new Set<string>();

  constructor(
    fetch: OriginFetch,
    webOrigin: string,
    counted: (bytes: number) => void,
    reachability: (reachable: boolean) => void,
  ) {
    this.#known.add(webOrigin);
    this.#fetch = fetch;
    this.#counted = counted;
    this.#reachability = reachability;
  }

  /** @throws P2PError `origin-failed` where no answer came, or the answer broke off; an HTTP error is an answer */
  readonly fetch: CountedFetch = async (request, counted) => {
    const response = await this.#watch(request, this.#fetch(request));
    this.#known.add(new URL(request.url).origin);
    // 502 to 504: a gateway that did not reach it.
    this.#reachability(response.status < 502);
    return { ...response, chunks: this.#chunks(request, response, counted) };
  };

  async *#chunks(
    request: OriginRequest,
    response: OriginResponse,
    counted?: (bytes: number) => void,
  ): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
    const chunks = response.chunks[Symbol.asyncIterator]();
    try {
      for (
        let next = await this.#watch(request, chunks.next());
        next.done !== true;
        next = await this.#watch(request, chunks.next())
      ) {
        this.#counted(next.value.length);
        counted?.(next.value.length);
        yield next.value;
      }
    } finally {
      await chunks.return?.();
    }
  }

  async #watch<T>(request: OriginRequest, answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      if (request.signal.aborted) throw error;
      if (this.#known.has(new URL(request.url).origin)) this.#reachability(false);
      throw originFailed(
        request.url,
        `no complete answer (${error instanceof Error ? error.message : String(error)})`,
        0,
      );
    }
  }
}

/** @param status HTTP status; 0: no answer */
export function originFailed(url: string, what: string, status: number): P2PError {
  return new P2PError('origin-failed', `The origin gave ${what} for ${url}, and no neighbour holds it.`, {
    url,
    status,
  });
}

/** The HTTP status that an error tells; 0: none. */
export function statusOf(error: unknown): number {
  const status = error instanceof P2PError ? error.details['status'] : 0;
  return typeof status === 'number' ? status : 0;
}

/** A body while it comes. */
export class ArrivingBody {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  /** @param expected bytes; more is taken too */
  constructor(expected: number) {
    this.#bytes = new Uint8Array(expected);
  }

  /** What has come so far; its memory may be another once more has. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  push(chunk: Uint8Array): void {
    const length = this.#length + chunk.length;
    if (length > this.#bytes.length) {
      const bytes = new Uint8Array(Math.max(length, 2 * this.#bytes.length));
      bytes.set(this.bytes);
      this.#bytes = bytes;
    }
    this.#bytes.set(chunk, this.#length);
    this.#length = length;
  }
}

/** Reads a body to its end. `each` gets each chunk, once it is in the body. @throws P2PError `origin-failed` if it is shorter than announced */
export async function readBody(
  url: string,
  response: OriginResponse,
  each: (chunk: Uint8Array<ArrayBuffer>, loaded: number) => void = () => undefined,
  body = new ArrivingBody(response.size ?? 0),
): Promise<Uint8Array<ArrayBuffer>> {
  for await (const chunk of response.chunks) {
    body.push(chunk);
    each(chunk, body.bytes.length);
  }
  const { bytes } = body;
  if (response.size !== null && bytes.length < response.size)
    throw originFailed(url, `only ${bytes.length} of ${response.size} bytes`, 0);
  return bytes;
}
