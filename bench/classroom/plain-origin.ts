/**
 * The origin of the systems that are not ours: a static server as everybody has one, with the same access log as ours, and for p2pml a
 * WebTorrent tracker on the next port. `node --import tsx plain-origin.ts --port P --media DIR --library DIR [--tracker MODULE]`
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import send from 'send';
import { whenSent } from '../../server/http/access-log.ts';
import { createLog } from '../../server/log.ts';
import { fileOfUrl } from '../../server/media-path.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8080' },
    media: { type: 'string', default: '' },
    library: { type: 'string', default: '' },
    tracker: { type: 'string' },
  },
});
const log = createLog('debug');

/** Prefix of URL paths → folder. */
const FOLDERS = { '/media/': values.media, '/library/': values.library };
const TEXT: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
};
const TYPES: Readonly<Record<string, string>> = { '.ts': 'video/mp2t', '.m3u8': 'application/vnd.apple.mpegurl' };
const compressed = new Map<string, Buffer>();

const server = createServer((request, response) => {
  const startedAt = Date.now();
  const path = new URL(request.url ?? '/', 'http://host').pathname;
  whenSent(response, (sent) =>
    log.debug(
      { method: request.method, path, status: response.statusCode, ...sent, milliseconds: Date.now() - startedAt },
      'answered',
    ),
  );
  answer(request, response, path);
});
server.keepAliveTimeout = 60_000;
server.listen(Number(values.port), '0.0.0.0', () => log.info('listening'));
if (values.tracker !== undefined) await track(values.tracker, Number(values.port) + 1);

process.once('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeAllConnections();
});

function answer(request: IncomingMessage, response: ServerResponse, path: string): void {
  const [prefix, folder] = Object.entries(FOLDERS).find(([each]) => path.startsWith(each)) ?? [];
  const file = prefix === undefined ? undefined : fileOfUrl(path.slice(prefix.length));
  if (folder === undefined || file === undefined || !existsSync(join(folder, file))) {
    response.writeHead(404).end();
    return;
  }
  const kind = extname(file);
  const type = TEXT[kind];
  // what may not change under its name is kept for an hour, as our server says of segments
  response.setHeader('cache-control', kind === '.m3u8' || kind === '.html' ? 'no-cache' : 'max-age=3600');
  response.setHeader('access-control-allow-origin', '*');
  if (type !== undefined && statSync(join(folder, file)).isFile()) {
    sendText(response, join(folder, file), type);
    return;
  }
  response.setHeader('content-type', TYPES[kind] ?? 'application/octet-stream');
  send(request, `/${file}`, { root: folder, cacheControl: false }).pipe(response);
}

function sendText(response: ServerResponse, file: string, type: string): void {
  const body = compressed.get(file) ?? gzipSync(readFileSync(file));
  compressed.set(file, body);
  response
    .writeHead(200, { 'content-type': type, 'content-encoding': 'gzip', 'content-length': body.length })
    .end(body);
}

interface Tracker {
  on(event: 'warning' | 'error', listener: (error: Error) => void): void;
  listen(port: number, host: string): void;
}

/** bittorrent-tracker as it is, WebSocket only. */
async function track(module: string, port: number): Promise<void> {
  const { default: Server } = (await import(pathToFileURL(module).href)) as {
    default: new (options: Record<string, boolean>) => Tracker;
  };
  const tracker = new Server({ http: false, udp: false, ws: true, stats: false });
  tracker.on('warning', () => undefined); // peers that vanish
  tracker.on('error', (error) => log.error({ err: error }, 'tracker'));
  tracker.listen(port, '0.0.0.0');
}
