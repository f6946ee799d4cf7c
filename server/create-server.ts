/** The whole server: demo, kit, media, digests and signaling on one port. */
import { existsSync, statSync } from 'node:fs';
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type Server as HttpServer,
} from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import { join, resolve } from 'node:path';
import type { BlockList } from 'node:net';
import type { Duplex } from 'node:stream';
import { createSecureContext } from 'node:tls';
import type { Middleware } from 'koa';
import { P2PError } from '../protocol/error.ts';
import { SIGNALING_PATH } from '../protocol/signaling.ts';
import { DigestService, type DigestServiceOptions } from './digest-service/digest-service.ts';
import type { AdmissionOptions } from './admission/admission.ts';
import { DEFAULT_LIMITS } from './admission/limits.ts';
import { isAllowedOrigin } from './admission/origins.ts';
import { clientAddress } from './client-address.ts';
import { Digests } from './digests/digests.ts';
import { warmDigests } from './digests/warm-digests.ts';
import { Drain } from './drain.ts';
import { createApp } from './http/app.ts';
import { countBrokenRequests } from './http/broken-requests.ts';
import { fixedIce, type MayHaveICE } from './ice.ts';
import { DEMO_POLICY, securityHeaders } from './http/security-headers.ts';
import type { AllowedOrigins } from './allowed-origins.ts';
import { lanAddresses } from './lan-addresses.ts';
import {
  CLOSE_GRACE_MS,
  HEADERS_CHECK_MS,
  HEADERS_TIMEOUT_MS,
  HTTP_SILENCE_MS,
  LISTEN_BACKLOG,
  REQUEST_TIMEOUT_MS,
} from './limits.ts';
import { createLog, type Logger } from './log.ts';
import { MeshSwitch, type MeshSwitchOptions } from './mesh-switch.ts';
import { maySeeMetrics } from './metrics/may-see-metrics.ts';
import { Metrics } from './metrics/metrics.ts';
import { metricsRoute, metricsServer } from './metrics/serve-metrics.ts';
import { packageRoot } from './package-root.ts';
import { RedisNodes } from './redis/redis-nodes.ts';
import { serverURLs, type ServerURLs } from './server-urls.ts';
import { createSignaling, type Signaling, type SignalingOptions } from './signaling/create-signaling.ts';

export interface ServerOptions
  extends Pick<SignalingOptions, 'admission' | 'directory' | 'addressOf' | 'siteOf' | 'iceServers'>, MeshSwitchOptions {
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
  /** May who asks for `/p2p/ice` have it? Default: pages of the origins that may join; nobody where a token is needed, for who shows one has it with its join. */
  readonly mayHaveICE?: MayHaveICE;
  /** Hashes what playlists of these origins list. Default: none are hashed. */
  readonly digestService?: DigestServiceOptions;
  /** Certificate chain and private key, PEM. Default: plain HTTP. */
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer };
  /** Default: warnings and errors, as JSON lines on stderr. */
  readonly log?: Logger;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Prefixes of addresses (`10.0.0.0/8`) that may see `/metrics`, besides programs on this machine that come by no proxy. */
  readonly metricsAllow?: BlockList;
  /** Port that `/metrics` is at instead, on an address that the public does not reach. Default: the server's own port; 0 takes any free one. */
  readonly metricsPort?: number;
  /** Default 127.0.0.1. */
  readonly metricsHost?: string;
  /** May addresses of clients be logged? Default false. */
  readonly logAddresses?: boolean;
  /** Seconds for which browsers are to come by HTTPS only (RFC 6797). Default 0: it is not said. */
  readonly hsts?: number;
  /** Folder of the built browser files and of the demo. Default: those of the package. */
  readonly kit?: string;
  readonly demo?: string;
}

export interface P2PServer {
  readonly http: HttpServer | HttpsServer;
  readonly signaling: Signaling;
  /** Who takes part in the mesh; may be changed at any time, and counts from the next join on. */
  readonly meshSwitch: MeshSwitch;
  readonly metrics: Metrics;
  /** Where `/metrics` listens, if it has a port of its own. */
  readonly metricsPort: number | undefined;
  /** Where the server can be reached, once it listens. */
  readonly urls: ServerURLs;
  /** @throws Node's error if the port is taken (EADDRINUSE), not allowed (EACCES), or the host is not ours (EADDRNOTAVAIL) */
  listen(): Promise<void>;
  /** Another certificate and key for new connections. @throws Node's error if they can't be used; P2PError `bad-flag` where there is no TLS */
  setTLS(tls: NonNullable<ServerOptions['tls']>): void;
  /** Before `close()`: says that it is not ready, and lets viewers go to other servers, spread over the time. Sooner over if nobody is left. */
  drain(milliseconds: number, signal?: AbortSignal): Promise<void>;
  /** Stops accepting, disconnects all, gives responses under way so many milliseconds. May be called more than once. @param grace default: 1 s */
  close(grace?: number): Promise<void>;
}

const PATIENCE = {
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
  connectionsCheckingInterval: HEADERS_CHECK_MS,
};

/** @throws P2PError `bad-flag` if the media folder is missing or the Redis URL is none; Node's error if the certificate or key can't be read */
export function createServer(options: ServerOptions = {}): P2PServer {
  const { cors = '*', iceServers = [], tls, log = createLog('warn'), now = Date.now } = options;
  const media = mediaFolder(options.media);
  const kit = options.kit ?? join(packageRoot(), 'dist', 'browser');
  if (!existsSync(kit))
    log.warn(
      { folder: kit },
      'the built browser files are missing, so pages that load /p2p-elements/ will not work: run "npm run build" first',
    );
  const metrics = new Metrics();
  const digests = new Digests(now, metrics.hashed);
  const others = options.redis === undefined ? undefined : redisNodes(options.redis, log, metrics);
  const digestService = options.digestService && new DigestService(options.digestService, { log, now });
  if (digestService) metrics.watchDigestService(digestService);
  const app = createApp({
    media,
    kit,
    demo: options.demo ?? join(packageRoot(), 'demo'),
    cors,
    ice: typeof iceServers === 'function' ? iceServers : fixedIce(iceServers),
    mayHaveICE: options.mayHaveICE ?? ((request) => mayHaveICE(options.admission, request)),
    digests,
    redis: () => (others === undefined ? undefined : others.isReady),
    digestService,
    isDraining: () => drain.isDraining,
    addressOf: options.addressOf ?? clientAddress(0),
    before: before(options, metrics),
    logAddresses: options.logAddresses === true,
    log,
    now,
  });
  // Koa's promise never rejects: its own error handler has the last word; who connects and says nothing is not waited for as long as Node does
  const handle = app.callback();
  const http = httpServer(tls, (...args) => void handle(...args));
  countBrokenRequests(http, (reason) => metrics.http.broken(reason));
  guardUpgrades(http);
  const sockets = trackSockets(http);
  const { directory, addressOf, siteOf } = options;
  const meshSwitch = new MeshSwitch(options);
  const signaling = createSignaling({
    server: http,
    iceServers,
    log,
    admission: admissionOf(options, others),
    ...(directory && { directory }),
    ...(others && { others }),
    ...(addressOf && { addressOf }),
    ...(siteOf && { siteOf }),
    off: (viewer) => meshSwitch.off(viewer),
    observer: metrics.observer,
  });
  metrics.watchSignaling(signaling, meshSwitch);
  const drain = new Drain(http, signaling);
  const own = options.metricsPort === undefined ? undefined : metricsServer(metrics);
  return faceOf(
    { http, sockets, signaling, digests, digestService, meshSwitch, metrics, drain, own },
    { ...options, media, log },
  );
}

/** What a server is made of. */
interface Parts extends Pick<P2PServer, 'http' | 'signaling' | 'meshSwitch' | 'metrics'> {
  readonly sockets: ReadonlySet<Duplex>;
  readonly digests: Digests;
  readonly digestService: DigestService | undefined;
  readonly drain: Drain;
  /** Of `/metrics`, where it has a port of its own. */
  readonly own: HttpServer | undefined;
}

function faceOf(
  { http, sockets, signaling, digests, digestService, meshSwitch, metrics, drain, own }: Parts,
  options: ServerOptions & Required<Pick<ServerOptions, 'media' | 'log'>>,
): P2PServer {
  const { port = 8080, host, tls, media, log } = options;
  let closing: Promise<void> | undefined;
  return {
    http,
    signaling,
    meshSwitch,
    metrics,
    get metricsPort() {
      return own && portOf(own, options.metricsPort ?? 0);
    },
    get urls() {
      return serverURLs({
        host,
        port: portOf(http, port),
        isSecure: tls !== undefined,
        addresses: lanAddresses(),
      });
    },
    listen: async () => {
      if (own) await listenForMetrics(own, options);
      await listen(http, port, host).catch((error: unknown) => {
        own?.close();
        throw error;
      });
      void warmDigests(media, digests, log);
    },
    setTLS: (next) => {
      if (!('setSecureContext' in http))
        throw new P2PError('bad-flag', 'The server speaks plain HTTP. Start it with TLS.');
      createSecureContext({ ...next }); // throws before anything has changed
      http.setSecureContext({ ...next });
    },
    drain: (milliseconds, signal = new AbortController().signal) => drain.run(milliseconds, signal),
    close: (grace = CLOSE_GRACE_MS) => {
      own?.close();
      own?.closeAllConnections();
      return (closing ??= close(http, sockets, grace, signaling, { digests, digestService }));
    },
  };
}

/** With Redis some of it is counted for all servers together. */
const admissionOf = ({ admission, logAddresses }: ServerOptions, others: RedisNodes | undefined): AdmissionOptions => ({
  logsAddresses: logAddresses === true,
  ...(others && {
    connects: others.connects(admission?.limits?.connectsPerAddress ?? DEFAULT_LIMITS.connectsPerAddress),
    subjects: others.subjects,
  }),
  ...admission,
});

const mayHaveICE = ({ origins = '*', tokens }: AdmissionOptions = {}, request: IncomingMessage): boolean =>
  tokens === undefined && isAllowedOrigin(origins, request);

function httpServer(tls: ServerOptions['tls'], handle: RequestListener): HttpServer | HttpsServer {
  const http =
    tls === undefined
      ? createHttpServer(PATIENCE, handle)
      : createHttpsServer({ ...tls, ...PATIENCE, handshakeTimeout: HEADERS_TIMEOUT_MS }, handle);
  return http.setTimeout(HTTP_SILENCE_MS);
}

function redisNodes(url: string, log: Logger, metrics: Metrics): RedisNodes {
  const others: RedisNodes = new RedisNodes({ url, log, answered: (...answer) => note(...answer) });
  const note = metrics.watchRedis(() => others.isReady);
  return others;
}

/** A demo of somebody else's has a policy of its own. */
const before = (
  { metricsPort, metricsAllow, demo, hsts = 0 }: ServerOptions,
  metrics: Metrics,
): readonly Middleware[] => [
  metrics.http.middleware,
  securityHeaders({ policy: demo === undefined ? DEMO_POLICY : undefined, hsts }),
  ...(metricsPort === undefined ? [metricsRoute(metrics, maySeeMetrics(metricsAllow))] : []),
];

const portOf = (server: HttpServer, preset: number): number => {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : preset;
};

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
    http.listen({ port, backlog: LISTEN_BACKLOG, ...(host !== undefined && { host }) }, () => {
      http.off('error', fail);
      done();
    });
  });
}

async function listenForMetrics(server: HttpServer, { metricsPort = 0, metricsHost = '127.0.0.1' }: ServerOptions) {
  try {
    await listen(server, metricsPort, metricsHost);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new P2PError(
      'bad-flag',
      `Expected a free port for /metrics in --metrics-port, and an address of this machine in --metrics-host, but ${metricsHost}:${metricsPort} can't be used (${reason}).`,
      { metricsPort, metricsHost },
    );
  }
}

/** WebSockets of other paths are destroyed: only signaling speaks WebSocket here. */
function guardUpgrades(http: HttpServer): void {
  http.on('upgrade', (request, socket) => {
    // node:http has let go of the socket: with no listener, a client's reset would end the process
    socket.on('error', destroyIt);
    // with the slash, for that is all engine.io takes; what it leaves alone nobody would ever close
    if (!(request.url ?? '').startsWith(`${SIGNALING_PATH}/`)) socket.destroy();
  });
}

function destroyIt(this: Duplex): void {
  this.destroy();
}

/** All open TCP connections, also those that are in a TLS handshake or became WebSockets. */
function trackSockets(http: HttpServer): ReadonlySet<Duplex> {
  const open = new Set<Duplex>();
  // one listener for all of them: there are as many as viewers
  const forget = function (this: Duplex): void {
    open.delete(this);
  };
  http.on('connection', (socket: Duplex) => {
    open.add(socket);
    socket.on('close', forget);
  });
  return open;
}

async function close(
  http: HttpServer,
  sockets: ReadonlySet<Duplex>,
  grace: number,
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
  }, grace);
  await Promise.all([closed, isStored]);
  clearTimeout(timer);
}
