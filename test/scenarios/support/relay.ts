/** A plain web server in front of the real one: it passes requests on, without WebSockets, and may answer otherwise. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

/** What a relay does with the answer of the real server: another body of the same length, or null for a 404. */
export type Alter = (path: string, body: Buffer) => Buffer | null;

const PASSED_ON = ['content-type', 'cache-control', 'content-range', 'accept-ranges', 'service-worker-allowed'];

/** Ends with the test. @returns its URL */
export async function relay(t: TestContext, target: string, alter: Alter): Promise<string> {
  const server = createServer((request, response) => {
    void (async () => {
      const { url = '/', headers } = request;
      const answer = await fetch(`${target}${url}`, {
        headers: headers.range === undefined ? {} : { range: headers.range },
      });
      const body = alter(url, Buffer.from(await answer.arrayBuffer()));
      if (body === null) {
        response.writeHead(404).end('Not here.');
        return;
      }
      const kept = PASSED_ON.flatMap((name) => [[name, answer.headers.get(name)] as const]).filter(
        ([, value]) => value !== null,
      );
      response.writeHead(answer.status, { ...Object.fromEntries(kept), 'content-length': body.length }).end(body);
    })().catch(() => response.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
