/** The network's answers on their way through the worker. Firefox ends a worker that hears nothing for half a minute, and all that passes through it: meanwhile a page with the kit is asked to call. */
import type { FromServiceWorker } from '../protocol/worker.ts';
import { MAX_PIECE_BYTES } from './limits.ts';

type Caller = Pick<Client, 'id' | 'postMessage'>;

interface Passes {
  /** Answers to this client that are not at their end. */
  open: number;
  /** Was it asked, and has not called yet? One without the kit never does. */
  isAsked: boolean;
}

export class Passing {
  readonly #find: (clientId: string) => Promise<Caller | undefined>;
  readonly #passes = new Map<string, Passes>();

  constructor(find: (clientId: string) => Promise<Caller | undefined>) {
    this.#find = find;
  }

  /** The same answer, whose end is seen; what could not be made anew as it is. */
  through(response: Response, clientId: string): Response {
    const { body, status, statusText, headers, redirected, type } = response;
    if (!body || redirected || type !== 'basic') return response;
    const passes = this.#passes.get(clientId) ?? { open: 0, isAsked: false };
    this.#passes.set(clientId, passes);
    passes.open++;
    const { readable, writable } = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>();
    const end = (): void => {
      if (--passes.open === 0 && !passes.isAsked) this.#passes.delete(clientId);
    };
    body.pipeTo(writable).then(end, end);
    if (!passes.isAsked) void this.#find(clientId).then((client) => client && this.#ask(client));
    return new Response(readable, { status, statusText, headers });
  }

  /** A page called, or has the kit only now: as long as something passes to it, it is to call again. */
  called(client: Caller): void {
    const passes = this.#passes.get(client.id);
    if (!passes) return;
    passes.isAsked = false;
    if (passes.open > 0) this.#ask(client);
    else this.#passes.delete(client.id);
  }

  #ask(client: Caller): void {
    const passes = this.#passes.get(client.id);
    if (!passes || passes.isAsked) return;
    passes.isAsked = true;
    client.postMessage({ type: 'p2p-call-please' } satisfies FromServiceWorker);
  }
}

/** May it take longer than a worker lives that hears nothing? */
export function isLong({ headers }: Response): boolean {
  const length = headers.get('content-length');
  return length === null || Number(length) > MAX_PIECE_BYTES;
}
