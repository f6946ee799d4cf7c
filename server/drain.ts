/** How a server that is about to stop lets go of its viewers: they are sent away one after the other, and responses under way end. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Server as HttpServer, ServerResponse } from 'node:http';
import type { Signaling } from './signaling/create-signaling.ts';

/** Milliseconds between two looks whether all is over. */
const LOOK_MS = 20;

export class Drain {
  readonly #signaling: Signaling;
  readonly #underWay = new Set<ServerResponse>();
  #isDraining = false;

  /** After all other listeners of the server are in place. */
  constructor(http: HttpServer, signaling: Signaling) {
    this.#signaling = signaling;
    http.on('request', (_request, response: ServerResponse) => {
      // a balancer that has not noticed yet is answered, but is to come on another connection next time: to another server
      if (this.#isDraining && !response.headersSent) response.setHeader('connection', 'close');
      this.#underWay.add(response);
      response.once('close', () => this.#underWay.delete(response));
    });
  }

  /** From its beginning the server is not ready any more. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  /**
   * New peers are refused, those that are here are sent away spread over the time: their browsers come back at once, to another server or to the next
   * one here. Resolves when nobody is here and no response is under way, or when the time is over.
   * @param signal ends it early
   */
  async run(milliseconds: number, signal: AbortSignal): Promise<void> {
    this.#isDraining = true;
    const startedAt = performance.now();
    await this.#signaling.drain(milliseconds, signal);
    const isOver = (): boolean =>
      signal.aborted ||
      performance.now() - startedAt >= milliseconds ||
      (this.#underWay.size === 0 && this.#signaling.connections === 0);
    while (!isOver()) await delay(LOOK_MS);
  }
}
