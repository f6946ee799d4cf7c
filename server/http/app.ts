/** The Koa app: which URL path is answered by what. */
import Koa, { type Context, type Middleware, type Next } from 'koa';
import createDebug from 'debug';
import type { AddressOf } from '../client-address.ts';
import type { Digests } from '../digests/digests.ts';
import { LEAVES_PREFIX } from '../digests/serve-manifest.ts';
import { DIGESTS_PATH } from '../../protocol/digest-list.ts';
import type { DigestService } from '../digest-service/digest-service.ts';
import { sendDigests } from '../digest-service/send-digests.ts';
import type { IceSource, MayHaveICE } from '../ice.ts';
import type { Logger } from '../log.ts';
import { MEDIA_PREFIX } from '../media-path.ts';
import { LiveStream } from '../playlist/live-stream.ts';
import type { AllowedOrigins } from '../allowed-origins.ts';
import { accessLog, requestId } from './access-log.ts';
import { cors } from './cors.ts';
import { KIT_PREFIX, sendKitFile, SERVICE_WORKER_PATH } from './kit-files.ts';
import { sendLeaves } from './leaves.ts';
import { MANIFEST_PATH, manifestSender } from './manifest.ts';
import { sendMedia } from './media.ts';
import { sendBody, sendText } from './send-body.ts';
import { sendFile } from './send-file.ts';
import { sendICE } from './send-ice.ts';

const debug = createDebug('p2p:server:http');

export interface AppOptions {
  /** Folder served at `/media/`. */
  readonly media: string;
  /** Folder of the kit's built browser files, served at `/p2p-elements/`. */
  readonly kit: string;
  /** Folder of the demo page, served at `/`. */
  readonly demo: string;
  readonly cors: AllowedOrigins;
  readonly ice: IceSource;
  readonly mayHaveICE: MayHaveICE;
  readonly digests: Digests;
  /** Is Redis there? undefined: there is none to be. */
  readonly redis: () => boolean | undefined;
  /** Hashes assets of other origins. Default: none does. */
  readonly digestService?: DigestService | undefined;
  /** Is the server about to stop? Default: it is not. */
  readonly isDraining?: () => boolean;
  /** What comes before the routes and CORS: metrics, headers. Default: nothing. */
  readonly before?: readonly Middleware[];
  readonly addressOf: AddressOf;
  /** May addresses of clients be logged? Default: no. */
  readonly logAddresses?: boolean;
  readonly log: Logger;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export function createApp(options: AppOptions): Koa {
  const app = new Koa();
  app.on('error', (error: unknown) => options.log.error({ err: error }, 'a response failed'));
  app.use(accessLog(options.log, options.now, options.logAddresses === true ? options.addressOf : undefined));
  app.use(guard(options.log));
  for (const middleware of options.before ?? []) app.use(middleware);
  app.use(cors(options.cors));
  app.use(onlyReads);
  app.use(routes(options));
  return app;
}

/** No error shows more than that there was one; the log has the rest. */
const guard =
  (log: Logger) =>
  async (context: Context, next: Next): Promise<void> => {
    context.set('x-content-type-options', 'nosniff');
    try {
      await next();
    } catch (error) {
      log.error({ request: requestId(context), err: error, path: context.path }, 'a request failed');
      if (context.res.headersSent) {
        context.res.destroy();
        return;
      }
      context.respond = true;
      sendText(context, 500, `The server could not answer this; its log says why (request ${requestId(context)}).`);
    }
    debug('%s %s %d', context.method, context.url, context.res.statusCode);
  };

const onlyReads = async (context: Context, next: Next): Promise<void> => {
  if (context.method === 'GET' || context.method === 'HEAD') {
    await next();
    return;
  }
  context.set('allow', 'GET, HEAD');
  sendText(context, 405, 'Only GET and HEAD are answered here.');
};

function routes(options: AppOptions) {
  const { media, kit, demo, ice, mayHaveICE, digests, digestService, redis, now, addressOf } = options;
  const { isDraining = () => false } = options;
  const live = new LiveStream(media, digests, now);
  const sendManifest = manifestSender(media, digests, { shell: { kit, demo } });
  return async (context: Context): Promise<void> => {
    const { path } = context;
    if (path === '/healthz') {
      sendText(context, 200, 'ok');
    } else if (path === '/readyz') {
      await sendReady(context, redis(), isDraining());
    } else if (path === '/p2p/ice') {
      await sendICE(context, ice, mayHaveICE);
    } else if (path === MANIFEST_PATH) {
      await sendManifest(context);
    } else if (path === '/live/index.m3u8') {
      await sendLive(context, live);
    } else if (path.startsWith(LEAVES_PREFIX)) {
      await sendLeaves(context, digests, digestService);
    } else if (path === DIGESTS_PATH) {
      await sendDigests(context, digestService, addressOf);
    } else if (path.startsWith(MEDIA_PREFIX)) {
      await sendMedia(context, media, digests);
    } else if (path.startsWith(KIT_PREFIX) || path === SERVICE_WORKER_PATH) {
      await sendKitFile(context, kit, path === SERVICE_WORKER_PATH ? path.slice(1) : path.slice(KIT_PREFIX.length));
    } else {
      await sendFile(context, { root: demo, path: path === '/' ? '/index.html' : path, cache: 'no-cache' });
    }
  };
}

/**
 * Without Redis viewers are served, but are introduced only to those of this server: for whoever rolls out or watches, not for a balancer. A server
 * that drains is about to stop: a balancer sends nobody here any more.
 */
async function sendReady(context: Context, redis: boolean | undefined, isDraining: boolean): Promise<void> {
  const ready = redis !== false && !isDraining;
  const text = JSON.stringify({
    ready,
    ...(isDraining && { draining: true }),
    ...(redis !== undefined && { redis: redis ? 'there' : 'away' }),
  });
  await sendBody(context, text, { type: 'application/json', cache: 'no-store' });
  if (!ready) context.status = 503;
}

async function sendLive(context: Context, live: LiveStream): Promise<void> {
  const playlist = await live.playlist();
  if (playlist === undefined)
    sendText(
      context,
      404,
      'No live stream: the media folder has no unencrypted VOD playlist (#EXT-X-ENDLIST) with its segments beside it.',
    );
  else await sendBody(context, playlist, { type: 'application/vnd.apple.mpegurl', cache: 'no-cache' });
}
