import type { ServerResponse } from 'node:http';
import { randomBytes } from 'node:crypto';
import type { Context, Next } from 'koa';
import type { AddressOf } from '../client-address.ts';
import type { Logger } from '../log.ts';

/** How one response ended. */
export interface Sent {
  /** Headers and body as handed to the operating system, before TLS. Of a response that was cut short, a little of it may never have left. */
  readonly bytes: number;
  /** The connection ended before the response did. */
  readonly aborted: boolean;
}

/**
 * One debug line for each response: method, path (no query: it may carry tokens), status, bytes, milliseconds, and whether it was cut short.
 * Written when the response is over, so a line's start is its time less its milliseconds. No addresses unless they may be logged: they are personal data.
 * @param addressOf tells the client's address, where that may be logged
 */
export const accessLog =
  (log: Logger, now: () => number, addressOf?: AddressOf) =>
  async (context: Context, next: Next): Promise<void> => {
    const { method, path, res } = context;
    if (log.isLevelEnabled('debug')) {
      const request = requestId(context);
      const from = addressOf ? { address: addressOf(context.req) } : {};
      const startedAt = now();
      whenSent(res, (sent) =>
        log.debug(
          { request, ...from, method, path, status: res.statusCode, ...sent, milliseconds: now() - startedAt },
          'answered',
        ),
      );
    }
    await next();
  };

const ids = new WeakMap<object, string>();

/** Ties together the log lines of one request: 12 hex digits, made where it is first asked for. What a client says of that is not taken. */
export function requestId({ req }: Context): string {
  const id = ids.get(req) ?? randomBytes(6).toString('hex');
  ids.set(req, id);
  return id;
}

/** Calls `done` once, when the response has been sent or its connection is gone. */
export function whenSent(response: ServerResponse, done: (sent: Sent) => void): void {
  let socket = response.socket;
  let before = socket?.bytesWritten ?? 0;
  // a pipelined request is heard before its answer's turn has come, and before that the socket carries the answers of others
  if (socket === null)
    response.once('socket', (assigned: NonNullable<typeof socket>) => {
      socket = assigned;
      before = assigned.bytesWritten;
    });
  let isDone = false;
  const end = (aborted: boolean): void => {
    if (isDone) return;
    isDone = true;
    done({ bytes: socket === null ? 0 : socket.bytesWritten - before, aborted });
  };
  // first of its listeners, for Node's own gives the socket to the next response
  response.prependOnceListener('finish', () => end(false));
  response.once('close', () => end(true));
}
