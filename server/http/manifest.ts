import type { Context } from 'koa';
import { serveManifest } from '../digests/serve-manifest.ts';
import { sendBody } from './send-body.ts';
import { SharedFlight } from './shared-flight.ts';

/** Where browsers look for it. */
export const MANIFEST_PATH = '/p2p-manifest.json';

/** Sends the manifest, made once for all who ask meanwhile. They ask for it anew each time. */
export function manifestSender(...what: Parameters<typeof serveManifest>): (context: Context) => Promise<void> {
  const manifest = new SharedFlight(async () => JSON.stringify(await serveManifest(...what)));
  return async (context) => sendBody(context, await manifest.run(), { type: 'application/json', cache: 'no-cache' });
}
