/** What a Koa app of somebody else's needs to share its own files, as middleware: the kit, and digests. */
import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Context } from 'koa';
import { P2PError } from '../../protocol/error.ts';
import { Digests } from '../digests/digests.ts';
import { LEAVES_PREFIX } from '../digests/serve-manifest.ts';
import { fileOfUrl, MEDIA_PREFIX } from '../media-path.ts';
import { isPlaylistPath } from '../playlist/read-playlist.ts';
import { packageRoot } from '../package-root.ts';
import { KIT_PREFIX, sendKitFile, SERVICE_WORKER_PATH } from './kit-files.ts';
import { sendLeaves } from './leaves.ts';
import { MANIFEST_PATH, manifestSender } from './manifest.ts';
import { sendPlaylist } from './media.ts';

/** Middleware for `app.use()` of Koa 2 or 3. Without Koa's own types, which come apart from it: who uses none of this need not have them. */
export type KoaMiddleware = (context: KoaContext, next: () => Promise<unknown>) => Promise<void>;

export interface KoaContext {
  readonly method: string;
  readonly path: string;
}

export interface SharedFolderOptions {
  /** Of the files; absolute, or from where the process was started. */
  readonly folder: string;
  /** URL path under which the app serves it, with a slash at both ends. Default `/media/`. */
  readonly prefix?: string;
}

/** A folder of files that viewers share, and what is known of their bytes. One for both middlewares: the leaves of what a playlist names are had from it. */
export class SharedFolder {
  /** Absolute. */
  readonly folder: string;
  readonly prefix: string;
  readonly digests = new Digests();

  /** @throws P2PError `bad-flag`: there is no such folder, or the prefix is none */
  constructor({ folder, prefix = MEDIA_PREFIX }: SharedFolderOptions) {
    this.folder = resolve(folder);
    this.prefix = prefix;
    if (statSync(this.folder, { throwIfNoEntry: false })?.isDirectory() !== true)
      throw new P2PError(
        'bad-flag',
        `Expected a folder to share, but ${this.folder} ${existsSync(this.folder) ? 'is none' : 'does not exist'}.`,
        { folder: this.folder },
      );
    if (!/^\/(?:[^?#]*\/)?$/.test(prefix))
      throw new P2PError(
        'bad-flag',
        `Expected a URL path with a slash at both ends, like "/media/", not "${prefix}".`,
        {
          prefix,
        },
      );
  }

  /** Hashes no more. */
  close(): void {
    this.digests.close();
  }
}

/** Koa middleware: the kit's browser files, at `/p2p-elements/` and `/p2p-sw.js`. For who does not bundle them with the page's own. */
export function kit(): KoaMiddleware {
  const files = join(packageRoot(), 'dist', 'browser');
  return middleware(async (context, next) => {
    const { path } = context;
    if (isRead(context) && path === SERVICE_WORKER_PATH) await sendKitFile(context, files, path.slice(1));
    else if (isRead(context) && path.startsWith(KIT_PREFIX))
      await sendKitFile(context, files, path.slice(KIT_PREFIX.length));
    else await next();
  });
}

/** Koa middleware: the manifest (`/p2p-manifest.json`) of a folder, and leaves (`/p2p/leaves/…`) of what it and playlists() name. */
export function digests(shared: SharedFolder): KoaMiddleware {
  const { folder, prefix } = shared;
  const sendManifest = manifestSender(folder, shared.digests, { prefix });
  return middleware(async (context, next) => {
    if (!isRead(context)) await next();
    else if (context.path === MANIFEST_PATH) await sendManifest(context);
    else if (context.path.startsWith(LEAVES_PREFIX)) await sendLeaves(context, shared.digests);
    else await next();
  });
}

/** Koa middleware: playlists of a folder, with the digest of each segment. What else is in the folder is for the next one, as `koa-static`. */
export function playlists({ folder, prefix, digests: hashes }: SharedFolder): KoaMiddleware {
  return middleware(async (context, next) => {
    const file =
      isRead(context) && context.path.startsWith(prefix) ? fileOfUrl(context.path.slice(prefix.length)) : undefined;
    const isSent =
      file !== undefined && isPlaylistPath(file) && (await sendPlaylist(context, { folder, file, prefix }, hashes));
    if (!isSent) await next();
  });
}

const middleware = (work: (context: Context, next: () => Promise<unknown>) => Promise<void>): KoaMiddleware =>
  work as KoaMiddleware;

const isRead = ({ method }: Context): boolean => method === 'GET' || method === 'HEAD';
