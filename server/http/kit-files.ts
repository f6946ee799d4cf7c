import { join } from 'node:path';
import type { Context } from 'koa';
import { statFile } from '../digests/hash-file.ts';
import { fileOfUrl } from '../media-path.ts';
import { sendText } from './send-body.ts';
import { sendFile } from './send-file.ts';

/** URL path of the kit's built browser files. */
export const KIT_PREFIX = '/p2p-elements/';

/** The service worker's URL path: at the root, so that its scope is the whole web origin. */
export const SERVICE_WORKER_PATH = '/p2p-sw.js';

const ENCODINGS = [
  ['br', '.br'],
  ['gzip', '.gz'],
] as const;

/**
 * A built file, compressed as the build left it beside the file (`X.br`, `X.gz`) if the client takes that.
 * What is under `chunks/` has a hash of its content in its name and never changes; the rest is asked for anew each time.
 * @param encoded percent-encoded path below `folder`, without a leading slash
 */
export async function sendKitFile(context: Context, folder: string, encoded: string): Promise<void> {
  const file = fileOfUrl(encoded);
  if (file === undefined) {
    sendText(context, 404, 'There is no such file.');
    return;
  }
  context.vary('accept-encoding');
  if (file === SERVICE_WORKER_PATH.slice(1)) context.set('service-worker-allowed', '/');
  // By its absolute path, for the service worker's script has another folder than its map.
  if (file.endsWith('.js')) context.set('sourcemap', `${KIT_PREFIX}${encoded}.map`);
  const cache = file.startsWith('chunks/') ? 'public, max-age=31536000, immutable' : 'no-cache';
  for (const [encoding, suffix] of ENCODINGS) {
    const isAccepted = context.acceptsEncodings(encoding, 'identity') === encoding;
    if (!isAccepted || (await statFile(join(folder, file + suffix))) === undefined) continue;
    await sendFile(context, { root: folder, path: `/${encoded}${suffix}`, typeOf: encoded, encoding, cache });
    return;
  }
  await sendFile(context, { root: folder, path: `/${encoded}`, cache });
}
