/** The whole server: demo, kit, media, digests and signaling on one port. */
import { existsSync, statSync } from 'node:fs';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import { join, resolve } from 'node:path';
import type { Duplex } from 'node:stream';
import { P2PError } from '../protocol/error.ts';
import { SIGNALING_PATH } from '../protocol/signaling.ts';
import { DigestService, type DigestServiceOptions } from './digest-service/digest-service.ts';
import { Digests } from './digests/digests.ts';
import { warmDigests } from './digests/warm-digests.ts';
import { createApp } from './http/app.ts';
import type { MayHaveICE } from './http/send-ice.ts';
import { fixedIce } from './ice.ts';
import type { AllowedOrigins } from './allowed-origins.ts';
import { lanAddresses } from './lan-addresses.ts';
import { CLOSE_GRACE_MS, HEADERS_CHECK_MS, HEADERS_TIMEOUT_MS, REQUEST_TIMEOUT_MS } from './limits.ts';
import { createLog, type Logger } from './log.ts';
import { packageRoot } from './package-root.ts';
import { RedisNodes } from './redis/redis-nodes.ts';
import { serverURLs, type ServerURLs } from './server-urls.ts';
import { createSignaling, type Signaling, type SignalingOptions } from './signaling/create-signaling.ts';

export interface ServerOptions extends Pick<
  SignalingOptions,
  'admission' | 'directory' | 'addressOf' | 'siteOf' | 'iceServers'
> {
  /** Default 8080; 0 takes any free port. */
  readonly port?: number;
  /** Address to listen on. Default: all. */
  readonly host?: string;
  /** Folder served at `/media/`. Default: the sample that comes with the package. */
  readonly media?: string;
  /** Web origins that may read media, manifest and leaves. Default `*`: they are public and fetched without credentials. */
  readonly cors?: AllowedOrigins;
  /** URL of the Redis through which several servers share their swarms. Default: this one is alone. */
  readonly redis?: string;
  /** May who asks for `/p2p/ice` have it? Default: everybody may. */
  readonly mayHaveICE?: MayHaveICE;
  /** Hashes what playlists of these origins list. Default: none are hashed. */
  readonly digestService?: DigestServiceOptions;
  /** Certificate chain and private key, PEM. Default: plain HTTP. */
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer };
  /** Default: warnings and errors, as JSON lines on stderr. */
  readonly log?: Logger;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Folder of the built browser files and of the demo. Default: those of the package. */
  readonly kit?: string;
  readonly demo?: string;
}

export interface P2PServer {
  readonly http: HttpServer | HttpsServer;
  readonly signaling: Signaling;
  /** Where the server can be reached, once it listens. */
  readonly urls: ServerURLs;
  /** @throws Node's error if the port is taken (EADDRINUSE), not allowed (EACCES), or the host is not ours (EADDRNOTAVAIL) */
  listen(): Promise<void>;
  /** Stops accepting, disconnects all, gives responses under way 1 s. May be called more than once. */
  close(): Promise<void>;
}

const PATIENCE = {
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
  connectionsCheckingInterval: HEADERS_CHECK_MS,
};

/** @throws P2PError `bad-flag` if the media folder is missing or the Redis URL is none; Node's error if the certificate or key can't be read */
export function createServer(options: ServerOptions = {}): P2PServer {
  const { port = 8080, host, cors = '*', iceServers = [], tls, log = createLog('warn'), now = Date.now } = options;
  const media = mediaFolder(options.media);
  const kit = options.kit ?? join(packageRoot(), 'dist', 'browser');
  if (!existsSync(kit))
    log.warn(
      { folder: kit },
      'the built browser files are missing, so pages that load /p2p-elements/ will not work: run "npm run build" first',
    );
  const digests = new Digests(now);
  const others = options.redis === undefined ? undefined : new RedisNodes({ url: options.redis, log });
  const digestService = options.digestService && new DigestService(options.digestService, { log, now });
  const app = createApp({
    media,
    kit,
    demo: options.demo ?? join(packageRoot(), 'demo'),
    cors,
    ice: typeof iceServers === 'function' ? iceServers : fixedIce(iceServers),
    mayHaveICE: options.mayHaveICE ?? (() => true),
    digests,
    redis: () => (others === undefined ? undefined : others.isReady),
    digestService,
    log,
    now,
  });
  // Koa's promise never rejects: its own error handler has the last word; who connects and says nothing is not waited for as long as Node does
  const handle = app.callback();
  const http =
    tls === undefined
      ? createHttpServer(PATIENCE, (...args) => void handle(...args))
      : createHttpsServer(
          { ...tls, ...PATIENCE, handshakeTimeout: HEADERS_TIMEOUT_MS },
          (...args) => void handle(...args),
        );
  guardUpgrades(http);
  const sockets = trackSockets(http);
  const { admission, directory, addressOf, siteOf } = options;
  const signaling = createSignaling({
    server: http,
    iceServers,
    log,
    ...(admission && { admission }),
    ...(directory && { directory }),
    ...(others && { others }),
    ...(addressOf && { addressOf }),
    ...(siteOf && { siteOf }),
  });
  let closing: Promise<void> | undefined;
  return {
    http,
    signaling,
    get urls() {
      const address = http.address();
      return serverURLs({
        host,
        port: typeof address === 'object' && address !== null ? address.port : port,
        isSecure: tls !== undefined,
        addresses: lanAddresses(),
      });
    },
    listen: async () => {
      await listen(http, port, host);
      void warmDigests(media, digests, log);
    },
    close: () => (closing ??= close(http, sockets, signaling, { digests, digestService })),
  };
}

function mediaFolder(media: string | undefined): string {
  const folder = resolve(media ?? join(packageRoot(), 'demo', 'media'));
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return folder;
  throw new P2PError(
    'bad-flag',
    `Expected a folder to serve at /media/, but ${folder} ${existsSync(folder) ? 'is none' : 'does not exist'}. Create it, or name another with --media DIR.`,
    { folder },
  );
}

async function listen(http: HttpServer, port: number, host: string | undefined): Promise<void> {
  await new Promise<void>((done, fail) => {
    http.once('error', fail);
    http.listen({ port, ...(host !== undefined && { host }) }, () => {
      http.off('error', fail);
      done();
    });
  });
}

/** WebSockets of other paths are destroyed: only signaling speaks WebSocket here. */
function guardUpgrades(http: HttpServer): void {
  http.on('upgrade', (request, socket) => {
    // node:http has let go of the socket: with no listener, a client's reset would end the process
    socket.on('error', () => socket.destroy());
    // with the slash, for that is all engine.io takes; what it leaves alone nobody would ever close
    if (!(request.url ?? '').startsWith(`${SIGNALING_PATH}/`)) socket.destroy();
  });
}

/** All open TCP connections, also those that are in a TLS handshake or became WebSockets. */
function trackSockets(http: HttpServer): ReadonlySet<Duplex> {
  const open = new Set<Duplex>();
  http.on('connection', (socket: Duplex) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  return open;
}

async function close(
  http: HttpServer,
  sockets: ReadonlySet<Duplex>,
  signaling: Signaling,
  hashing: { readonly digests: Digests; readonly digestService: DigestService | undefined },
): Promise<void> {
  const closed = new Promise<void>((done) => void http.close(() => done())); // an error only says that it was not open
  hashing.digests.close();
  const isStored = hashing.digestService?.close();
  await signaling.close();
  http.closeIdleConnections();
  const timer = setTimeout(() => {
    // closeAllConnections() passes over TLS handshakes and WebSockets: ws would wait 30 s for the answer to its close frame
    for (const socket of sockets) socket.destroy();
  }, CLOSE_GRACE_MS);
  await Promise.all([closed, isStored]);
  clearTimeout(timer);
}
