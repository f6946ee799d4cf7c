/** Connections on which no request can be read. They never become a request that the app could answer, so they are answered, ended and counted here. */
import { STATUS_CODES, type Server } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/**
 * - `timeout`: nothing came in time, or half a head or body
 * - `malformed`: no HTTP
 * - `head-too-long`: see `maxHeaderSize` of node:http
 * - `tls`: no TLS, none that both can, or none in time
 */
export const BROKEN_REASONS = ['timeout', 'malformed', 'head-too-long', 'tls'] as const;
export type BrokenReason = (typeof BROKEN_REASONS)[number];

const STATUS = { timeout: 408, malformed: 400, 'head-too-long': 431 } as const;

/** @param tell who went by itself is none of them */
export function endBrokenRequests(http: Server, tell: (reason: BrokenReason) => void): void {
  http.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const reason = reasonOf(error.code);
    if (reason !== undefined) tell(reason);
    // on a connection that had an answer already this might end up in the midst of the next
    if (reason === undefined || reason === 'tls' || !socket.writable || hasAnswered(socket)) {
      socket.destroy();
      return;
    }
    const status = STATUS[reason];
    // ended by us when it is written, whatever the client does
    socket.end(
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
      () => socket.destroy(),
    );
  });
}

const hasAnswered = (socket: Duplex): boolean => socket instanceof Socket && socket.bytesWritten > 0;

/** It ended its side in the midst of a request. */
const WENT = 'HPE_INVALID_EOF_STATE';

/** By the codes of Node and of its parser. */
function reasonOf(code = ''): BrokenReason | undefined {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'timeout';
  if (code === 'HPE_HEADER_OVERFLOW') return 'head-too-long';
  if (code.startsWith('HPE_') && code !== WENT) return 'malformed';
  return /^ERR_(TLS|SSL)_/.test(code) ? 'tls' : undefined;
}
