/** Engine.IO (protocol 4), which socket.io stands on: text messages both ways, and pings of the server. https://socket.io/docs/v4/engine-io-protocol/ */
import { SIGNALING_PATH } from '../../../protocol/signaling.ts';
import { SERVER_SILENCE_MAX_MS, SERVER_SILENCE_MS } from '../../core/limits.ts';
import type { Clock } from '../../core/ports.ts';
import { parseJSON } from './packet.ts';

export interface EngineIOSocket {
  send(message: string): void;
  close(): void;
}

export interface EngineIOListener {
  opened(): void;
  received(untrustedMessage: string): void;
  /** Called also where it never opened, and perhaps again when it is closed then. `reason` is for people. */
  closed(reason: string): void;
}

/** @param origin the server's */
export type OpenEngineIO = (origin: string, listener: EngineIOListener, clock: Clock) => EngineIOSocket;

/** Over a WebSocket: each message is one packet, whose first character is its type. */
export const overWebSocket: OpenEngineIO = (origin, listener, clock) => {
  const socket = new WebSocket(`${origin.replace(/^http/, 'ws')}${SIGNALING_PATH}/?EIO=4&transport=websocket`);
  let patience = SERVER_SILENCE_MS;
  let cancelSilence = (): void => undefined;
  const close = (reason: string): void => {
    socket.onmessage = socket.onclose = null;
    cancelSilence();
    socket.close();
    listener.closed(reason);
  };
  /** A server that is silent for longer than its pings allow is gone. */
  const heard = (): void => {
    cancelSilence();
    cancelSilence = clock.after(patience, () => close('the server was silent'));
  };
  socket.onclose = ({ code }) => close(`the WebSocket ended with code ${code}`);
  socket.onmessage = ({ data }: MessageEvent<unknown>) => {
    const [type, body] = [String(data)[0], String(data).slice(1)];
    if (type === '0') patience = patienceOf(body);
    heard();
    if (type === '0') listener.opened();
    if (type === '1') close('the server ended the connection');
    if (type === '2') socket.send(`3${body}`);
    if (type === '4') listener.received(body);
  };
  return { send: (message) => socket.send(`4${message}`), close: () => close('closed') };
};

/** Milliseconds between two pings of the server and for the way of one, by its handshake. */
function patienceOf(untrustedHandshake: string): number {
  const { pingInterval, pingTimeout } = Object(parseJSON(untrustedHandshake)) as Record<string, unknown>;
  return Math.min(Number(pingInterval) + Number(pingTimeout) || SERVER_SILENCE_MS, SERVER_SILENCE_MAX_MS);
}
