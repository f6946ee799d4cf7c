/** Engine.IO over HTTP long polling, for networks that let no WebSocket through: socket.io's own client, in a module of its own so that only who needs it loads it. */
import { Fetch, Socket } from 'engine.io-client/dist/engine.io.esm.min.js';
import { SIGNALING_PATH } from '../../../protocol/signaling.ts';
import type { OpenEngineIO } from './engine-io.ts';

export const overPolling: OpenEngineIO = (origin, listener) => {
  const socket = new Socket(origin, { path: SIGNALING_PATH, transportImplementations: [Fetch] });
  socket.on('open', () => listener.opened());
  socket.on('data', (data: unknown) => listener.received(String(data)));
  socket.on('close', (reason, details) => listener.closed(details instanceof Error ? details.message : reason));
  return { send: (message) => void socket.send(message), close: () => void socket.close() };
};
