/** A web server that knows nothing of digests: files, ranges and CORS, as any CDN has them, with a counting proxy in front of it. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import send from 'send';
import { countingServer, type CountedRequest, type CountingServer } from '../../harness/counting-server.ts';

export interface PlainOrigin {
  /** By which browsers and servers reach it. */
  readonly url: string;
  readonly proxy: CountingServer;
}

/**
 * Ends with the test.
 * @param answers answers a request itself, if it says so. Default: none
 */
export async function plainOrigin(
  t: TestContext,
  folder: string,
  answers: (request: IncomingMessage, response: ServerResponse) => boolean = () => false,
): Promise<PlainOrigin> {
  const server = createServer((request, response) => {
    response.setHeader('access-control-allow-origin', '*');
    if (!answers(request, response)) send(request, request.url ?? '', { root: folder }).pipe(response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await countingServer(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  t.after(async () => {
    await proxy.dropAll();
    server.closeAllConnections();
    server.close();
  });
  return { url: proxy.url, proxy };
}

/** Browsers say which page asks, servers do not. */
export const isFromBrowser = ({ referrer }: CountedRequest): boolean => referrer !== undefined;
