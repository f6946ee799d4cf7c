/** A client that speaks HTTP, WebSocket (RFC 6455) and engine.io by hand over a raw TCP connection, so that it can do all of it wrong. */
import { once } from 'node:events';
import { connect as connectTCP, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { SIGNALING_PATH } from '../../../../protocol/signaling.ts';
import { until } from '../../support.ts';

export interface RawOptions {
  readonly address?: string;
  /** Default: that of a WebSocket of engine.io 4. */
  readonly query?: string;
  /** Further request headers. */
  readonly headers?: Readonly<Record<string, string>>;
}

export class RawClient {
  readonly socket: Socket;
  /** Text of all frames that came, until `pause()`. */
  readonly received: string[] = [];
  closed = false;
  /** The server has said that it closes, and takes nothing any more. */
  isClosing = false;
  #buffer: Buffer = Buffer.alloc(0);
  #head: string | undefined;
  #ponged: () => void = () => undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => undefined); // being cut off is what many attacks end with
    socket.on('close', () => {
      this.closed = true;
      this.#ponged();
    });
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
  }

  /** The head of the HTTP answer, once it is there. */
  get head(): string | undefined {
    return this.#head;
  }

  /** What came after a head, as text, for answers that are no WebSocket. */
  get body(): string {
    return this.#buffer.toString();
  }

  /** Sends a WebSocket frame: masked, as clients must. */
  frame(payload: string | Buffer, opcode = typeof payload === 'string' ? 1 : 2, bits = FIN): void {
    if (!this.closed) this.socket.write(frameOf(payload, opcode, bits));
  }

  /** Reads nothing more: the server's answers pile up. */
  pause(): void {
    this.socket.pause();
  }

  /** Resolves when the server has dealt with all that was sent before: it answers a ping (RFC 6455, 5.5.2), closes, or the connection is over. */
  heard(): Promise<void> {
    return new Promise((resolve) => {
      this.#ponged = resolve;
      if (this.closed || this.isClosing) resolve();
      else this.frame('', 9);
    });
  }

  async gone(): Promise<void> {
    await until('the server cuts it off', () => this.closed, 30_000);
  }

  /** The first text that has this in it, once it has come. */
  has(text: string): Promise<string> {
    return until(`"${text}" comes`, () => this.received.find((message) => message.includes(text)));
  }

  #take(chunk: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    if (this.#head === undefined) {
      const end = this.#buffer.indexOf('\r\n\r\n');
      if (end < 0) return;
      this.#head = this.#buffer.subarray(0, end).toString();
      this.#buffer = this.#buffer.subarray(end + 4);
    }
    if (!this.#head.startsWith('HTTP/1.1 101')) return;
    for (let length = this.#frame(); length > 0; length = this.#frame()) this.#buffer = this.#buffer.subarray(length);
  }

  /** Reads the frame at the front. @returns its bytes; 0: it is not whole */
  #frame(): number {
    const [first = 0, second = 0] = this.#buffer;
    if (this.#buffer.length < 2) return 0;
    let at = 2;
    let length = second & 127;
    if (length === 126) {
      if (this.#buffer.length < 4) return 0;
      length = this.#buffer.readUInt16BE(2);
      at = 4;
    } else if (length === 127) {
      if (this.#buffer.length < 10) return 0;
      length = Number(this.#buffer.readBigUInt64BE(2));
      at = 10;
    }
    if (this.#buffer.length < at + length) return 0;
    const opcode = first & 15;
    this.isClosing ||= opcode === 8;
    if (opcode === 8 || opcode === 10) this.#ponged();
    if (opcode === 1) this.received.push(this.#buffer.subarray(at, at + length).toString());
    return at + length;
  }
}

/** Bits of a frame's first byte beside the opcode: the last fragment of a message, and one that means nothing here (RFC 6455, 5.2). */
export const FIN = 0x80;
export const RSV2 = 0x20;

export function frameOf(payload: string | Buffer, opcode: number, bits = FIN): Buffer {
  const body = Buffer.from(payload);
  const first = bits | opcode;
  const head =
    body.length < 126
      ? Buffer.from([first, 0x80 | body.length])
      : body.length < 65_536
        ? Buffer.from([first, 0x80 | 126, body.length >> 8, body.length & 255])
        : Buffer.concat([Buffer.from([first, 0x80 | 127, 0, 0, 0, 0]), uint32(body.length)]);
  return Buffer.concat([head, Buffer.alloc(4), body]); // a mask of zeros changes nothing
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A TCP connection that has said nothing yet. */
export async function tcp(t: TestContext, url: string): Promise<RawClient> {
  const { hostname, port } = new URL(url);
  const socket = connectTCP(Number(port), hostname);
  t.after(() => socket.destroy());
  const client = new RawClient(socket);
  await once(socket, 'connect');
  return client;
}

/** Writes a request; its answer is in `head` and `body`. */
export async function request(
  t: TestContext,
  url: string,
  line: string,
  headers: Readonly<Record<string, string>>,
  body = '',
): Promise<RawClient> {
  const client = await tcp(t, url);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  client.socket.write(`${line} HTTP/1.1\r\nhost: test\r\n${lines.join('')}\r\n${body}`);
  return client;
}

/** A WebSocket, open or refused. */
export async function webSocket(t: TestContext, url: string, options: RawOptions = {}): Promise<RawClient> {
  const client = await request(t, url, `GET ${SIGNALING_PATH}/${options.query ?? '?EIO=4&transport=websocket'}`, {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...(options.address !== undefined && { 'x-test-address': options.address }),
    ...options.headers,
  });
  await until('the handshake is answered', () => client.closed || client.head !== undefined);
  return client;
}

/** A socket.io client that is let in. */
export async function connected(t: TestContext, url: string, options: RawOptions = {}): Promise<RawClient> {
  const client = await webSocket(t, url, options);
  client.frame('40');
  await client.has('40{');
  return client;
}

/** One that has joined. @returns it with its peer id */
export async function joined(t: TestContext, url: string, swarm: string, options: RawOptions = {}) {
  const client = await connected(t, url, options);
  client.frame(`42900${JSON.stringify(['join', { version: 1, swarms: [swarm] }])}`);
  const reply = await client.has('43900');
  return { client, peer: /"peer":"([0-9a-f]{32})"/.exec(reply)?.[1] ?? '' };
}
