/** HTTP requests of clients that poll, and of those who only look like it. engine.io lets them be as many and as long as they like. */
import { ServerResponse, type IncomingMessage } from 'node:http';
import type { Admission } from './admission.ts';
import type { EngineSocket } from './engine-socket.ts';
import { visitOf } from './visit.ts';

/** What engine.io makes of a request before its middlewares see it. */
interface EngineRequest extends IncomingMessage {
  readonly _query?: Readonly<Record<string, string>>;
}

/**
 * A middleware of engine.io. A body's length must be said and be no more than a message may have: engine.io reads to the end, and throws away,
 * what is longer.
 * @param connections engine.io's, by session id
 */
export const requestGuard =
  (admission: Admission, connections: () => Readonly<Record<string, EngineSocket>>) =>
  (request: EngineRequest, response: ServerResponse, next: () => void): void => {
    // engine.io has an answer of its own kind for upgrades; a header alone makes none
    if (!(response instanceof ServerResponse)) return next();
    const length = request.method === 'POST' ? Number(request.headers['content-length'] ?? NaN) : 0;
    const status = wrongWith(request, length, admission.limits.messageBytes);
    if (status !== undefined) {
      admission.refusals.count('bad-request');
      refuse(request, response, status);
      return;
    }
    const { sid } = request._query ?? {};
    const connection = sid !== undefined && Object.hasOwn(connections(), sid) ? connections()[sid] : undefined;
    const visit = connection && visitOf(connection);
    if (visit !== undefined) {
      visit.bodyBytes += length;
      admission.packet(visit);
    }
    next();
  };

/** An HTTP status; undefined: nothing. */
function wrongWith({ method }: EngineRequest, length: number, most: number): number | undefined {
  if (method !== 'GET' && method !== 'POST') return 405;
  if (method !== 'POST') return undefined;
  if (Number.isNaN(length)) return 411;
  return length > most ? 413 : undefined;
}

/** What more it sends is not read. */
function refuse(request: EngineRequest, response: ServerResponse, status: number): void {
  response.writeHead(status, { connection: 'close', 'content-length': 0 });
  response.end(() => request.socket.destroy());
}
