/** The whole server of the project, as `p2p-elements serve` runs it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { clientAddress } from '../../../server/client-address.ts';
import { createServer } from '../../../server/create-server.ts';
import { createLog } from '../../../server/log.ts';
import { answerGenerator } from './control.ts';

/** More than it takes ten thousand to connect, on whatever machine. */
const JOIN_SECONDS = 300;

// behind nginx, or not
const addressOf = clientAddress(process.env['BENCH_PROXY'] === undefined ? 0 : 1);

const media = mkdtempSync(join(tmpdir(), 'p2p-bench-'));
process.once('exit', () => rmSync(media, { recursive: true }));

const server = createServer({
  port: 0,
  host: '127.0.0.1',
  media,
  log: createLog('error'),
  // all connect before the first of them joins
  admission: { limits: { joinSeconds: JOIN_SECONDS } },
  // one of several nodes, in signaling-nodes.bench.ts
  ...(process.env['BENCH_REDIS'] !== undefined && { redis: process.env['BENCH_REDIS'] }),
  // the generator has an address of 127.0.0.0/8 for each site, which would all be one: so they seem to come from the internet
  addressOf: (request) => addressOf(request).replace(/^127\./, '100.'),
});
await server.listen();
while (!(await fetch(`${server.urls.local ?? ''}/readyz`)).ok) await delay(20);
answerGenerator(server.http);
