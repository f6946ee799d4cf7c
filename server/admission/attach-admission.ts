/** Puts an Admission in front of a socket.io server. */
import type { IncomingMessage } from 'node:http';
import type { Server as SocketServer } from 'socket.io';
import type { Refusal } from '../../protocol/signaling.ts';
import type { Admission } from './admission.ts';
import type { EngineSocket } from './engine-socket.ts';
import { SWEEP_MS } from './limits.ts';
import { requestGuard } from './request-guard.ts';
import type { TransportOptions } from '../signaling/transport.ts';
import { CLOSING, FORBIDDEN, UNKNOWN_SID } from '../signaling/transport/signaling-engine.ts';

/** What socket.io tells a client that may not connect: CONNECT_ERROR, with the refusal's code and `retryAfter` as data. */
class ConnectRefused extends Error {
  readonly data: Omit<Refusal, 'ok' | 'message'>;

  constructor({ code, message, retryAfter }: Refusal) {
    super(message);
    this.data = { code, ...(retryAfter !== undefined && { retryAfter }) };
  }
}

/** For createTransport. Origins are checked here, too, for a WebSocket knows no CORS. */
export const admissionOptions = (admission: Admission): Omit<TransportOptions, 'server' | 'cors' | 'isClosing'> => ({
  admit: (request) => admission.refusesHandshake(request),
  messageBytes: admission.limits.messageBytes,
  // later than the Watch ends who does not join, which counts them
  connectTimeout: 2000 * admission.limits.joinSeconds + 2 * SWEEP_MS,
  packetRefused: (reason) => admission.refusals.count(reason),
});

/** With engine.io's code. */
interface HandshakeError {
  readonly code: number;
  readonly req: IncomingMessage;
}

/** What socket.io gives of the engine that it stands on. */
interface Engine {
  readonly clients: Readonly<Record<string, EngineSocket>>;
  use(middleware: ReturnType<typeof requestGuard>): void;
  on(event: 'connection', listener: (connection: EngineSocket) => void): void;
  on(event: 'connection_error', listener: (error: HandshakeError) => void): void;
}

/** To be called once, before anybody can connect. */
export function attachAdmission(io: SocketServer, admission: Admission): void {
  const engine = io.engine as unknown as Engine;
  engine.use(requestGuard(admission, () => engine.clients));
  // in the task in which it begins, so that each has a visit before its first word
  engine.on('connection', (connection) => admission.enter(connection));
  // who is not let in is counted by why
  engine.on('connection_error', ({ code, req }) => {
    if (code === CLOSING) admission.refusals.count('shutting-down');
    else if (code !== FORBIDDEN) admission.badHandshake(req, code === UNKNOWN_SID);
  });
  io.use((socket, next) => {
    const refused = admission.refusesConnect(socket.conn);
    if (refused === undefined) next();
    else next(new ConnectRefused(refused));
  });
}
