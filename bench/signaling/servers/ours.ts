/** The whole server of the project, as `p2p-elements serve` runs it. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from '../../../server/create-server.ts';
import { createLog } from '../../../server/log.ts';
import { answerGenerator } from './control.ts';

const server = createServer({
  port: 0,
  host: '127.0.0.1',
  media: mkdtempSync(join(tmpdir(), 'p2p-bench-')),
  log: createLog('error'),
  // the generator has an address of 127.0.0.0/8 for each site, which would all be one: so they seem to come from the internet
  addressOf: ({ socket }) => (socket.remoteAddress ?? '').replace(/^127\./, '100.'),
});
await server.listen();
answerGenerator(server.http);
