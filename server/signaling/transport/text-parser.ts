/**
 * socket.io's `parser`: packets as our clients and we send them (Socket.IO protocol 5): text, of the namespace `/`, one CONNECT before all else, and
 * no acknowledgements from clients, for the server asks nothing. What else comes ends the connection before it is looked at further: binary parts that
 * are announced and never come would be waited for, and every CONNECT would make a session. Its own parser's search for binary parts is spared. One
 * decoder belongs to each connection.
 */
import type { RefusalReason } from '../../admission/refusals.ts';

/** Of Socket.IO 5. */
const CONNECT = 0;
const DISCONNECT = 1;
const EVENT = 2;

export interface Packet {
  readonly type: number;
  readonly nsp: string;
  readonly id?: number | undefined;
  readonly data?: unknown;
}

/** What a client says, and the id of the answer that it waits for, if it does. */
export interface ClientEvent {
  readonly name: string;
  readonly untrusted: unknown;
  readonly id: number | undefined;
}

/** Names that socket.io emits itself. */
const RESERVED = ['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener'];

/** Type, id of the acknowledgement, JSON. A `/` behind the type would begin the name of another namespace. */
const PACKET = /^([0-2])(\d{0,15})(?!\/)/;

/** Called for each packet that ends its connection. */
export type PacketRefused = (reason: Extract<RefusalReason, 'bad-packet' | 'second-connect'>) => void;

export class Encoder {
  encode({ type, nsp, id, data }: Packet): [string] {
    const namespace = nsp === '/' ? '' : `${nsp},`;
    return [`${type}${namespace}${id ?? ''}${data === undefined || data === null ? '' : JSON.stringify(data)}`];
  }
}

export class TextDecoder {
  readonly #refused: PacketRefused;
  #listener: ((packet: Packet) => void) | undefined;
  #events: ((event: ClientEvent) => void) | undefined;
  /** Has the client said CONNECT? */
  #isConnected = false;

  constructor(refused: PacketRefused) {
    this.#refused = refused;
  }

  /** The only event is `decoded`. */
  on(_event: string, listener: (packet: Packet) => void): void {
    this.#listener = listener;
  }

  /** From now on events go here, and not to socket.io. */
  takeEvents(listener: (event: ClientEvent) => void): void {
    this.#events = listener;
  }

  removeListener(): void {
    this.#listener = undefined;
  }

  /** @throws where it is no packet that may come now; socket.io ends the connection then, and nobody is told why */
  add(untrusted: unknown): void {
    const packet = typeof untrusted === 'string' ? parsePacket(untrusted) : undefined;
    if (packet !== undefined && this.#isConnected !== (packet.type === CONNECT)) {
      this.#isConnected = true;
      if (packet.type === EVENT && this.#events) this.#events(eventOf(packet));
      else this.#listener?.(packet);
      return;
    }
    this.#refused(packet?.type === CONNECT ? 'second-connect' : 'bad-packet');
    throw new Error('not a packet that clients send now');
  }

  destroy(): void {
    this.#listener = undefined;
    this.#events = undefined;
  }
}

/** What socket.io's option `parser` takes. It makes the decoders, so what they call comes with the class. */
export function textParser(refused: PacketRefused): {
  readonly Encoder: typeof Encoder;
  readonly Decoder: new () => TextDecoder;
} {
  class Decoder extends TextDecoder {
    constructor() {
      super(refused);
    }
  }
  return { Encoder, Decoder };
}

/** Undefined: not a packet that clients send. */
export function parsePacket(untrusted: string): Packet | undefined {
  const [head, type = '', id = ''] = PACKET.exec(untrusted) ?? [];
  if (head === undefined) return undefined;
  const data = dataOf(untrusted.slice(head.length));
  const packet: Packet = { type: Number(type), nsp: '/', id: id === '' ? undefined : Number(id), data };
  return isRight(packet) ? packet : undefined;
}

/** @param data was looked at by isRight() */
function eventOf({ id, data }: Packet): ClientEvent {
  const [name, untrusted] = data as [string, unknown?];
  return { name, untrusted, id };
}

const WRONG = Symbol('no JSON');

function dataOf(json: string): unknown {
  if (json === '') return undefined;
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return WRONG;
  }
}

function isRight({ type, data }: Packet): boolean {
  switch (type) {
    case CONNECT:
      return data === undefined || isRecord(data);
    case DISCONNECT:
      return data === undefined;
    default:
      return type === EVENT && Array.isArray(data) && typeof data[0] === 'string' && !RESERVED.includes(data[0]);
  }
}

const isRecord = (data: unknown): boolean => typeof data === 'object' && data !== null && !Array.isArray(data);
