/** Connections on which no request can be read. They never become a request that the app could answer: Node answers and ends them, and here they are counted. */
import type { Server } from 'node:http';

/**
 * - `timeout`: nothing came in time, or half a head or body
 * - `malformed`: no HTTP
 * - `too-long`: a head, or the extensions of a chunk; see `maxHeaderSize` of node:http
 * - `tls`: no TLS, none that both can, none in time, or a client that does not take our certificate
 */
export const BROKEN_REASONS = ['timeout', 'malformed', 'too-long', 'tls'] as const;
export type BrokenReason = (typeof BROKEN_REASONS)[number];

/** @param tell not of who went by itself */
export function countBrokenRequests(http: Server, tell: (reason: BrokenReason) => void): void {
  const emit = http.emit.bind(http);
  // not as a listener: where there is one, Node leaves the answer to it, and only Node knows whether another is under way
  http.emit = (event: string, ...args: unknown[]): boolean => {
    if (event === 'clientError') {
      const reason = reasonOf((args[0] as NodeJS.ErrnoException).code);
      if (reason !== undefined) tell(reason);
    }
    return emit(event, ...args);
  };
}

/** It ended its side in the midst of a request. */
const WENT = 'HPE_INVALID_EOF_STATE';

/** By the codes of Node and of its parser. */
function reasonOf(code = ''): BrokenReason | undefined {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'timeout';
  if (/^HPE_.*_OVERFLOW$/.test(code)) return 'too-long';
  if (code.startsWith('HPE_') && code !== WENT) return 'malformed';
  return /^ERR_(TLS|SSL)_/.test(code) ? 'tls' : undefined;
}
