import type { Context, Middleware, Next } from 'koa';
import { MEDIA_PREFIX } from '../media-path.ts';
import { MANIFEST_PATH } from './manifest.ts';
import { KIT_PREFIX, SERVICE_WORKER_PATH } from './kit-files.ts';

/**
 * What the demo's pages may do (CSP Level 3). Scripts and workers come from here alone. Pictures are `blob:` URLs once they came from neighbours, and
 * videos are fed by Media Source Extensions (`blob:`). `?src=URL` plays streams of other web origins, hence `https:` and `http:`. `'self'` in
 * `connect-src` is meant to include WebSockets, but not every browser in use has that (Safari before 16), so their schemes stand there.
 */
export const DEMO_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data: https: http:",
  "media-src 'self' blob: https: http:",
  "connect-src 'self' https: http: wss: ws:",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'self'",
].join('; ');

/** What no page of the demo needs, for itself or for what it might embed. */
const PERMISSIONS = 'camera=(), geolocation=(), microphone=(), payment=(), usb=()';

export interface SecurityHeaderOptions {
  /** Content-Security-Policy of pages that are not in the media folder; undefined: none. */
  readonly policy: string | undefined;
  /** Seconds for which browsers are to come by HTTPS only (RFC 6797); 0: it is not said. Needs TLS. */
  readonly hsts: number;
}

/**
 * Headers that narrow what a page of ours, or one around it, may do. The media folder is its author's, who may have pages there, and a policy on the
 * kit's scripts would become that of its workers, on whatever page they run: both get none.
 */
export function securityHeaders({ policy, hsts }: SecurityHeaderOptions): Middleware {
  return async (context: Context, next: Next): Promise<void> => {
    const { path } = context;
    const isForOthers = [MEDIA_PREFIX, KIT_PREFIX, SERVICE_WORKER_PATH, '/p2p/', '/live/', MANIFEST_PATH].some(
      (prefix) => path.startsWith(prefix),
    );
    // What pages of other web origins may embed says so, for those that ask for it (Cross-Origin-Embedder-Policy).
    context.set('cross-origin-resource-policy', isForOthers ? 'cross-origin' : 'same-origin');
    if (hsts > 0) context.set('strict-transport-security', `max-age=${hsts}`);
    if (!isForOthers) {
      // The engine's own requests name their policy themselves (docs/decisions/0003).
      context.set('referrer-policy', 'same-origin');
      context.set('permissions-policy', PERMISSIONS);
      if (policy !== undefined) context.set('content-security-policy', policy);
      // Browsers heed it over HTTPS alone, and complain about it elsewhere.
      if (context.secure) context.set('cross-origin-opener-policy', 'same-origin');
    }
    await next();
  };
}
