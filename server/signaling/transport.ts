import type { Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import { Server } from 'socket.io';
import { Adapter } from 'socket.io-adapter';
import { SIGNALING_PATH } from '../../protocol/signaling.ts';
import type { AllowedOrigins } from '../allowed-origins.ts';
import type { ClientEvents, ServerEvents, SignalingSocket } from './hub.ts';
import { SignalingEngine, type SignalingEngineOptions } from './transport/signaling-engine.ts';
import { textParser, type PacketRefused } from './transport/text-parser.ts';
import { WebSocketConnection } from './transport/web-socket-connection.ts';

export interface TransportOptions {
  readonly server: HttpServer | HttpsServer;
  readonly cors: AllowedOrigins;
  readonly admit: SignalingEngineOptions['admit'];
  /** True: newcomers are told to go elsewhere. */
  readonly isClosing: () => boolean;
  /** Bytes of one message, at most. */
  readonly messageBytes: number;
  /** Milliseconds that a connection has for its CONNECT. */
  readonly connectTimeout: number;
  readonly packetRefused: PacketRefused;
}

/** socket.io under `/p2p/signal`, on an engine that takes less of the server for each WebSocket. */
export function createTransport({
  server,
  cors,
  admit,
  isClosing,
  messageBytes,
  connectTimeout,
  packetRefused,
}: TransportOptions): Server<ClientEvents, ServerEvents> {
  const engine = new SignalingEngine({
    transports: ['websocket', 'polling'],
    maxHttpBufferSize: messageBytes,
    cors: { origin: cors === '*' ? '*' : [...cors], methods: ['GET', 'POST'] },
    admit,
    isClosing,
  });
  const io = new Server<ClientEvents, ServerEvents>({
    serveClient: false,
    connectTimeout,
    parser: textParser(packetRefused),
  });
  io.adapter(NoRooms);
  io.bind(engine);
  // WebSockets of other paths belong to the server's owner
  engine.attach(server, { path: SIGNALING_PATH, destroyUpgrade: false });
  return io;
}

/** Nobody is spoken to by rooms, and each socket's own would be two Maps' entries and two Sets. */
class NoRooms extends Adapter {
  override addAll(): void {}
  override delAll(): void {}
}

const FORGOTTEN = Object.freeze({});

/** Frees what the handshake left: request and headers, 4 KB of each peer. Call it when nobody reads them any more. */
export function forgetHandshake(socket: SignalingSocket): void {
  const connection: unknown = socket.conn;
  // HTTP polling needs its requests
  if (connection instanceof WebSocketConnection) connection.forgetRequest();
  Object.assign(socket, { handshake: FORGOTTEN });
}
