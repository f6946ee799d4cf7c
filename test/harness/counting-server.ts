/** An HTTP reverse proxy, WebSocket included, that notes each request and the bytes of its answer. It streams, and aborts when its client does. */
import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { Duplex, Transform } from 'node:stream';

/** What the bodies of answers cross, such as a `Line` or a `Gate`. */
export interface Way {
  /** @param url path and query @returns undefined: as it comes */
  carry(url: string): Transform | undefined;
}

export interface CountedRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly range: string | undefined;
  /** Tells apart what pages and what the kit's engines ask for. */
  readonly referrer: string | undefined;
  /** The client's end of the TCP connection: tells clients apart while they are connected. */
  readonly clientPort: number;
  /** `performance.now()` when the request came. */
  readonly at: number;
  /** 0 until the answer's head is there. 101 for a WebSocket. */
  status: number;
  /** Content-Encoding of the answer. */
  encoding: string | undefined;
  /** Bytes of the answer's body so far, as sent (compressed where it is). */
  bytes: number;
  state: 'open' | 'complete' | 'aborted';
}

export class CountingServer {
  readonly requests: CountedRequest[] = [];
  /** Answers a request itself, if it says so; it is counted all the same. Default: none. */
  answers: (incoming: IncomingMessage, outgoing: ServerResponse) => boolean = () => false;
  readonly #target: URL;
  readonly #way: Way | undefined;
  readonly #server: Server;
  readonly #sockets = new Set<Duplex>();
  #port = 0;

  /** @param way what the bodies of all answers cross. Default: as fast as it goes */
  constructor(target: string, way?: Way) {
    this.#target = new URL(target);
    this.#way = way;
    this.#server = createServer((incoming, outgoing) => this.#forward(incoming, outgoing));
    this.#server.on('connection', (socket) => this.#own(socket));
    this.#server.on('upgrade', (incoming: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.#tunnel(incoming, socket, head),
    );
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Listens; again on the same port after `dropAll`. */
  async listen(port = this.#port): Promise<void> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Cuts every connection and refuses new ones: to its clients the server is gone. */
  async dropAll(): Promise<void> {
    const closed = this.#server.listening ? once(this.#server, 'close') : undefined;
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** The requests whose path and query match. */
  matching(pattern: RegExp): CountedRequest[] {
    return this.requests.filter(({ url }) => pattern.test(url));
  }

  /** Bytes of all answers to these requests. */
  bytes(pattern: RegExp): number {
    return this.matching(pattern).reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Forgets what was counted so far. */
  reset(): void {
    this.requests.length = 0;
  }

  #own(socket: Duplex): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket)).on('error', () => socket.destroy());
  }

  #note(incoming: IncomingMessage): CountedRequest {
    const noted: CountedRequest = {
      method: incoming.method ?? '',
      url: incoming.url ?? '',
      range: incoming.headers.range,
      referrer: incoming.headers.referer,
      clientPort: incoming.socket.remotePort ?? 0,
      at: performance.now(),
      status: 0,
      encoding: undefined,
      bytes: 0,
      state: 'open',
    };
    this.requests.push(noted);
    return noted;
  }

  #forward(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const noted = this.#note(incoming);
    if (this.answers(incoming, outgoing)) return;
    const { hostname: host, port } = this.#target;
    const upstream = request({
      host,
      port,
      method: incoming.method,
      path: incoming.url,
      headers: incoming.headers,
      agent: false,
    });
    upstream.on('response', (answer) => {
      noted.status = answer.statusCode ?? 0;
      noted.encoding = answer.headers['content-encoding'];
      const carrier = this.#way?.carry(noted.url);
      const body = carrier ? answer.pipe(carrier) : answer;
      body.on('data', (chunk: Buffer) => (noted.bytes += chunk.length));
      answer.on('error', () => outgoing.destroy());
      outgoing.on('close', () => carrier?.destroy());
      outgoing.writeHead(noted.status, withoutHopByHop(answer.headers));
      body.pipe(outgoing);
    });
    upstream.on('error', () => outgoing.destroy());
    outgoing.on('close', () => {
      noted.state = outgoing.writableFinished ? 'complete' : 'aborted';
      if (!outgoing.writableFinished) upstream.destroy();
    });
    incoming.pipe(upstream);
  }

  #tunnel(incoming: IncomingMessage, client: Duplex, head: Buffer): void {
    const noted = this.#note(incoming);
    const upstream: Socket = connect(Number(this.#target.port), this.#target.hostname);
    this.#own(upstream);
    const { rawHeaders } = incoming;
    const lines = rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${rawHeaders[i + 1] ?? ''}`] : []));
    upstream.write(`${incoming.method ?? 'GET'} ${incoming.url ?? '/'} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
    upstream.write(head);
    upstream.once('data', (answer: Buffer) => (noted.status = Number(answer.toString('latin1', 9, 12))));
    upstream.on('data', (chunk: Buffer) => (noted.bytes += chunk.length));
    upstream.pipe(client).pipe(upstream);
    upstream.on('close', () => client.destroy());
    client.on('close', () => {
      noted.state = 'complete';
      upstream.destroy();
    });
  }
}

/** Node frames the body itself. */
function withoutHopByHop(headers: IncomingMessage['headers']): IncomingMessage['headers'] {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !['connection', 'keep-alive', 'transfer-encoding'].includes(name)),
  );
}

/** A running proxy in front of `target`, such as `http://127.0.0.1:8080`. End it with `dropAll()`. */
export async function countingServer(target: string, way?: Way): Promise<CountingServer> {
  const server = new CountingServer(target, way);
  await server.listen();
  return server;
}
