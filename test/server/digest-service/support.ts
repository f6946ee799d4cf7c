/** What the digest service's tests share: an origin whose answers a test sets, and a service that reads it. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { AssetRecord } from '../../../server/digest-service/asset-record.ts';
import { DigestService, type DigestServiceOptions } from '../../../server/digest-service/digest-service.ts';
import type { Resolve } from '../../../server/digest-service/guarded-lookup.ts';
import { OriginReader, type OriginReaderOptions } from '../../../server/digest-service/origin-reader.ts';
import { bytes, nameOfBytes, silent } from '../support.ts';

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export interface Origin {
  readonly url: string;
  /** Path and query of each request, in order. */
  readonly asked: string[];
  /** Headers of each. */
  readonly headers: IncomingHttpHeaders[];
  /** Connections that were made so far. */
  connections: number;
  /** By path without the query: a body, or what answers. */
  readonly files: Map<string, string | Uint8Array | Handler>;
}

/** A plain web server that knows ranges and validators (of a file's content), but no digests. Ends with the test. */
export async function origin(
  t: TestContext,
  files: Record<string, string | Uint8Array | Handler> = {},
): Promise<Origin> {
  const made = { url: '', asked: [], headers: [], connections: 0, files: new Map(Object.entries(files)) } as Origin;
  const server = createServer((request, response) => {
    made.asked.push(request.url ?? '');
    made.headers.push(request.headers);
    const file = made.files.get((request.url ?? '').split('?', 1)[0] ?? '');
    if (typeof file === 'function') file(request, response);
    else if (file === undefined) response.writeHead(404).end();
    else give(request, response, Buffer.from(file));
  });
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    (made as { connections: number }).connections++;
    sockets.add(socket.on('close', () => sockets.delete(socket)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return Object.assign(made, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

function give(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  const etag = `"${body.length}-${body.subarray(0, 64).toString('hex').slice(0, 40)}"`;
  response.setHeader('etag', etag);
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304).end();
    return;
  }
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
  if (first === undefined) {
    response.writeHead(200, { 'content-length': body.length }).end(body);
    return;
  }
  const part = body.subarray(Number(first), Number(last) + 1);
  response
    .writeHead(206, { 'content-range': `bytes ${first}-${last}/${body.length}`, 'content-length': part.length })
    .end(part);
}

/** Every name means this address. */
export const resolvesTo =
  (...addresses: string[]): Resolve =>
  (_hostname, _options, done) =>
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );

/** A reader that may read these origins on this machine. */
export function reader(
  t: TestContext,
  origins: readonly string[],
  options: Partial<OriginReaderOptions> = {},
): OriginReader {
  const made = new OriginReader({ origins, allowsPrivate: true, ...options });
  t.after(() => made.close());
  return made;
}

export interface Clock {
  /** Milliseconds since 1970. */
  at: number;
}

/** A service that may read these origins on this machine. */
export function service(
  t: TestContext,
  origins: readonly string[],
  { clock, ...options }: Partial<DigestServiceOptions> & { clock?: Clock } = {},
): DigestService {
  const made = new DigestService(
    { origins, allowsPrivate: true, ...options },
    { log: silent, now: clock ? () => clock.at : Date.now },
  );
  t.after(() => made.close());
  return made;
}

/** A live playlist with these segments. */
export const live = (first: number, count: number, target = 1): string =>
  `#EXTM3U\n#EXT-X-TARGETDURATION:${target}\n#EXT-X-MEDIA-SEQUENCE:${first}\n${Array.from(
    { length: count },
    (_, index) => `#EXTINF:${target}.0,\ns${first + index}.ts\n`,
  ).join('')}`;

/** What is known of an asset, with leaves that are right. */
export async function recordOf(url: string, size = 100_000, more: Partial<AssetRecord> = {}): Promise<AssetRecord> {
  const { digest, leaves } = await nameOfBytes(bytes(size, url.length + size));
  return {
    asset: { url, range: undefined },
    name: { digest, size },
    leaves,
    etag: '"v1"',
    lastModified: undefined,
    freshUntil: 1_800_000_000_000,
    ...more,
  };
}
