/** One WebSocket of the generator over a bare TCP socket. All of them read into the same buffer, so an idle one costs little. */
import { connect, type Socket } from 'node:net';
import { FrameReader, textFrame } from './frames.ts';

const CLOSE = 8;
const TEXT = 1;
/** Bytes that are read at a time. */
const READ_BYTES = 64 * 1024;
const shared = Buffer.allocUnsafe(READ_BYTES);

/** Where a connection goes, and from where. */
export interface Route {
  readonly host: string;
  readonly port: number;
  /** With its query. */
  readonly path: string;
  /** Of this machine. Its own for each site: a server that tells sites by addresses sees as many. */
  readonly localAddress?: string;
}

export interface RawListener {
  /** @param head of the server's answer */
  opened(head: string): void;
  text(text: string): void;
  /** Once, also where it never opened. Not after destroy(). */
  closed(reason: string): void;
}

export class RawWebSocket {
  readonly #socket: Socket;
  readonly #listener: RawListener;
  readonly #frames = new FrameReader();
  #state: 'opening' | 'open' | 'closed' = 'opening';
  #head = '';

  constructor(route: Route, listener: RawListener) {
    this.#listener = listener;
    this.#socket = connect({
      host: route.host,
      port: route.port,
      noDelay: true,
      ...(route.localAddress !== undefined && { localAddress: route.localAddress }),
      onread: {
        buffer: shared,
        callback: (bytes, buffer) => this.#read(Buffer.from(buffer.buffer, buffer.byteOffset, bytes)),
      },
    });
    this.#socket.once('connect', () => this.#socket.write(upgradeRequest(route)));
    this.#socket.once('error', (error: NodeJS.ErrnoException) => this.#end(error.code ?? error.message));
    this.#socket.once('close', () => this.#end('closed'));
  }

  send(text: string): void {
    this.#socket.write(textFrame(text));
  }

  /** Without a closing handshake, as a tab does that is gone. */
  destroy(): void {
    this.#state = 'closed';
    this.#socket.destroy();
  }

  #read(chunk: Buffer): boolean {
    if (this.#state === 'opening') this.#readHead(chunk);
    else this.#readFrames(chunk);
    return this.#state !== 'closed';
  }

  #readHead(chunk: Buffer): void {
    this.#head += chunk.toString('latin1');
    const end = this.#head.indexOf('\r\n\r\n');
    if (end < 0) return;
    const rest = Buffer.from(this.#head.slice(end + 4), 'latin1');
    const head = this.#head.slice(0, end);
    const [status = ''] = head.split('\r\n', 1);
    this.#head = '';
    if (!status.includes(' 101 ')) {
      this.#end(status);
      this.#socket.destroy();
      return;
    }
    this.#state = 'open';
    this.#listener.opened(head);
    if (rest.length > 0) this.#readFrames(rest);
  }

  #readFrames(chunk: Buffer): void {
    this.#frames.push(chunk, (opcode, payload) => {
      if (opcode === TEXT) this.#listener.text(payload.toString());
      else if (opcode === CLOSE) {
        this.#end('closed by the server');
        this.#socket.destroy();
      }
    });
  }

  #end(reason: string): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#listener.closed(reason);
  }
}

/** With the headers that a browser sends, since a server may keep them. */
const upgradeRequest = ({ host, port, path }: Route): string =>
  [
    `GET ${path} HTTP/1.1`,
    `Host: ${host}:${port}`,
    'Connection: Upgrade',
    'Pragma: no-cache',
    'Cache-Control: no-cache',
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
    'Upgrade: websocket',
    `Origin: http://${host}:${port}`,
    'Sec-WebSocket-Version: 13',
    'Accept-Encoding: gzip, deflate',
    'Accept-Language: en-US,en;q=0.9',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits',
    '\r\n',
  ].join('\r\n');
