/** What we know of engine.io's connections beyond its types. All of it is looked at here, and nothing breaks where a later version has it no more. */
import type { Socket } from 'socket.io';
import { WebSocketConnection } from '../signaling/transport/web-socket-connection.ts';

export type EngineSocket = Socket['conn'];

/** The `ws` WebSocket behind a connection, as far as we use it. */
export interface RawSocket {
  /** 3: closed. */
  readonly readyState?: number;
  /** Bytes that wait to be sent. */
  readonly bufferedAmount?: number;
  /** Ends it without a goodbye. */
  terminate?(): void;
  readonly _socket?: { readonly bytesRead?: number } | null;
}

const CLOSED = 3;

/** Undefined: it is no WebSocket. */
export function rawSocketOf(connection: EngineSocket): RawSocket | undefined {
  const own: unknown = connection;
  if (own instanceof WebSocketConnection) return own.webSocket;
  const { socket } = connection.transport as unknown as { readonly socket?: RawSocket };
  return connection.transport.name === 'websocket' ? socket : undefined;
}

export const isOpen = ({ readyState }: RawSocket): boolean => readyState !== CLOSED;

/** Bytes that came over the connection's own TCP connection; 0: it polls, and has none. */
export const bytesReadBy = (raw: RawSocket | undefined): number => raw?._socket?.bytesRead ?? 0;

/** Packets that wait until the client takes them; of a WebSocketConnection, which has no queue, KiB. */
export function waitingPackets(connection: EngineSocket): number {
  const own: unknown = connection;
  if (own instanceof WebSocketConnection) return Math.ceil(own.unsentBytes / 1024);
  return (connection as unknown as { readonly writeBuffer?: readonly unknown[] }).writeBuffer?.length ?? 0;
}

/** Ends the connection at once: a client that is cut off is not waited for. */
export function terminate(connection: EngineSocket): void {
  const raw = rawSocketOf(connection);
  if (raw?.terminate) raw.terminate();
  else connection.close(true);
}
