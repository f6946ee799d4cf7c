/**
 * engine.io's server with a WebSocket of its own for clients that begin with one. Clients that begin with HTTP polling, and what they upgrade to, are
 * left to engine.io (docs/decisions/0027).
 */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Server as Engine, type ServerOptions } from 'engine.io';
import { WebSocketServer, type WebSocket } from 'ws';
import createDebug from 'debug';
import { PING_INTERVAL_MS, PING_TIMEOUT_MS } from '../../limits.ts';
import { Heartbeat } from './heartbeat.ts';
import { Outbox } from './outbox.ts';
import { EngineWebSocket, WebSocketConnection } from './web-socket-connection.ts';

const debug = createDebug('p2p:server:engine');

/** What engine.io's own methods take. */
type EngineRequest = Parameters<Engine['verify']>[0];

/** engine.io's codes of a handshake that makes no sense, of one that is not let in, and of one for a session that is not there. */
const { UNKNOWN_TRANSPORT } = Engine.errors;
export const { FORBIDDEN, UNKNOWN_SID } = Engine.errors;
/** A code of our own: the server is about to stop. */
export const CLOSING = -1;

const ABOUT_TO_STOP = 'The server is about to stop.';

/** As many as engine.io takes: who knows the id of a polling connection can speak for it, so none can be guessed. */
const SID_BYTES = 15;

/** Why a handshake is refused. Browsers hide it from pages that come by WebSocket; other clients, and proxies, go by it. */
export interface HandshakeRefusal {
  /** HTTP status, of WebSockets; engine.io has 403 for who polls. */
  readonly status: '403 Forbidden' | '429 Too Many Requests' | '500 Internal Server Error';
  readonly message: string;
  /** Seconds. */
  readonly retryAfter?: number;
}

export interface SignalingEngineOptions extends Omit<ServerOptions, 'allowRequest'> {
  readonly maxHttpBufferSize: number;
  /** Judges a handshake. Default: all are let in. @returns undefined: it is let in */
  readonly admit?: ((request: IncomingMessage) => Promise<HandshakeRefusal | undefined>) | undefined;
  /** True: newcomers get 503, so that a proxy takes them to another server. */
  readonly isClosing?: () => boolean;
}

export class SignalingEngine extends Engine {
  readonly #isClosing: () => boolean;
  readonly #refusals = new WeakMap<IncomingMessage, HandshakeRefusal>();
  readonly #heartbeat: Heartbeat;
  readonly #outbox = new Outbox();
  readonly #webSockets: WebSocketServer;
  /** What each client is told behind its id. */
  readonly #handshake: string;

  constructor(options: SignalingEngineOptions) {
    const { pingInterval = PING_INTERVAL_MS, pingTimeout = PING_TIMEOUT_MS, maxHttpBufferSize: maxPayload } = options;
    const { isClosing = () => false, admit = () => Promise.resolve(undefined) } = options;
    super({
      ...options,
      pingInterval,
      pingTimeout,
      allowRequest: (request, answer) => {
        admit(request)
          .then((refusal) => {
            if (refusal !== undefined) this.#refused(request, refusal);
            answer(refusal?.message ?? null, refusal === undefined);
          })
          .catch((error: unknown) => {
            debug('a handshake came to nothing: %o', error);
            request.socket.destroy(); // node:http has let go of it
          });
      },
    });
    this.#isClosing = isClosing;
    this.#heartbeat = new Heartbeat(pingInterval);
    this.#webSockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload,
      WebSocket: EngineWebSocket,
    });
    this.#handshake = `","upgrades":[],"pingInterval":${pingInterval},"pingTimeout":${pingTimeout},"maxPayload":${maxPayload}}`;
  }

  #refused(request: IncomingMessage & { readonly res?: ServerResponse }, refusal: HandshakeRefusal): void {
    this.#refusals.set(request, refusal);
    // engine.io sends its answer with it
    if (refusal.retryAfter !== undefined) request.res?.setHeader('retry-after', refusal.retryAfter);
  }

  /** Whoever comes by polling. Of a WebSocket's session there is nothing to ask for by HTTP: engine.io would leave that unanswered, and find nobody to hand it to. */
  override handleRequest(request: EngineRequest, response: ServerResponse): void {
    const { transport, sid = '' } = queryOf(request);
    if (transport !== 'polling') {
      this.emit('connection_error', { req: request, code: UNKNOWN_TRANSPORT, message: 'Expected transport=polling.' });
      response.writeHead(400, { connection: 'close' }).end('Expected transport=polling.');
    } else if (this.#isClosing() && sid === '') {
      this.emit('connection_error', { req: request, code: CLOSING, message: ABOUT_TO_STOP });
      response.writeHead(503, { 'retry-after': '1', connection: 'close' }).end(ABOUT_TO_STOP);
    } else super.handleRequest(request, response);
  }

  override handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // node:http has let go of the socket, and ws takes it only when it is let in: a reset meanwhile would end the process
    socket.on('error', destroyIt);
    const query = queryOf(request);
    const { transport, EIO, sid = '' } = query;
    if (this.#isClosing() && sid === '') {
      this.emit('connection_error', { req: request, code: CLOSING, message: ABOUT_TO_STOP });
      refuse(socket, ABOUT_TO_STOP, '503 Service Unavailable', 1);
      return;
    }
    if (transport !== 'websocket' || EIO !== '4' || sid !== '') {
      super.handleUpgrade(request, socket, head);
      return;
    }
    // where engine.io looks for it
    const engineRequest = Object.assign(request, { _query: query }) as unknown as EngineRequest;
    this.verify(engineRequest, true, (code, context) => {
      if (code === undefined) {
        this.#webSockets.handleUpgrade(request, socket, head, (webSocket: WebSocket) => {
          socket.off('error', destroyIt);
          if (webSocket instanceof EngineWebSocket && socket instanceof Socket) this.#open(request, socket, webSocket);
        });
        return;
      }
      this.emit('connection_error', { req: request, code, message: Engine.errorMessages[code], context });
      const { status = '400 Bad Request', message, retryAfter } = this.#refusals.get(request) ?? {};
      refuse(socket, message ?? Engine.errorMessages[code], status, retryAfter);
    });
  }

  #open(request: IncomingMessage, socket: Socket, webSocket: EngineWebSocket): void {
    const id = randomBytes(SID_BYTES).toString('base64url');
    const connection = new WebSocketConnection({
      id,
      request,
      socket,
      webSocket,
      heartbeat: this.#heartbeat,
      outbox: this.#outbox,
      ended: this.#ended,
    });
    // what engine.io asks of its clients, a WebSocketConnection has: close(), protocol, transport.name, upgraded
    this.clients[id] = connection as unknown as (typeof this.clients)[string];
    this.clientsCount++;
    connection.open(`{"sid":"${id}${this.#handshake}`);
    this.emit('connection', connection);
  }

  readonly #ended = ({ id }: WebSocketConnection): void => {
    Reflect.deleteProperty(this.clients, id);
    this.clientsCount--;
  };
}

/** A listener of sockets that keeps nothing of its handshake. */
function destroyIt(this: Duplex): void {
  this.destroy();
}

/** Read as engine.io reads it: what counts here has to count there. */
const queryOf = ({ url = '' }: IncomingMessage): Record<string, string | undefined> =>
  Object.fromEntries(new URL(url, 'https://host.invalid').searchParams);

/** @param retryAfter seconds */
function refuse(socket: Duplex, message: string, status: string, retryAfter?: number): void {
  const wait = retryAfter === undefined ? '' : `Retry-After: ${retryAfter}\r\n`;
  if (socket.writable)
    socket.write(
      `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain\r\n${wait}Content-Length: ${Buffer.byteLength(message)}\r\n\r\n${message}`,
    );
  socket.destroy();
}
