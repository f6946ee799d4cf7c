/**
 * A client's events, straight from the parser to whoever answers them. socket.io would put each off twice, copy its arguments and make an
 * acknowledgement for it, also where nobody asked for one: a quarter of what a signal costs.
 */
import type { SignalingSocket } from '../hub.ts';
import { TextDecoder, type ClientEvent } from './text-parser.ts';

export type { ClientEvent };

/** To be called when the client has connected; what it said before, socket.io has refused. */
export function takeEvents(socket: SignalingSocket, listener: (event: ClientEvent) => void): void {
  const { decoder } = socket.client as unknown as { readonly decoder: unknown };
  if (!(decoder instanceof TextDecoder)) throw new TypeError('Expected a server of createTransport().');
  decoder.takeEvents(listener);
}

/** Answers an event, if its client asked for an answer. Socket.IO 5: type 3, the event's id. @param json the answer */
export function acknowledge({ conn }: SignalingSocket, { id }: ClientEvent, json: () => string): void {
  if (id !== undefined) conn.write(`3${id}[${json()}]`);
}

/** The packet of an event of ours. Socket.IO 5: type 2. @param json its argument */
export const eventPacket = (name: string, json: string): string => `2["${name}",${json}]`;
