import type { Context } from 'koa';
import { isDigest } from '../../protocol/ids.ts';
import type { DigestService } from '../digest-service/digest-service.ts';
import type { Digests } from '../digests/digests.ts';
import { LEAVES_PREFIX } from '../digests/serve-manifest.ts';
import { sendText } from './send-body.ts';

/** The block hashes of an asset, 32 bytes a block. They can never change: the digest in the URL is their hash. */
export async function sendLeaves(context: Context, digests: Digests, digestService?: DigestService): Promise<void> {
  const digest = context.path.slice(LEAVES_PREFIX.length);
  if (!isDigest(digest)) {
    sendText(context, 400, `Expected ${LEAVES_PREFIX} and a digest of 64 lower-case hex digits.`);
    return;
  }
  const leaves = (await digests.leaves(digest)) ?? (await digestService?.leaves(digest));
  if (leaves === undefined) {
    sendText(context, 404, 'No asset that is known here has this digest now. Fetch the manifest or playlist anew.');
    return;
  }
  context.status = 200;
  context.type = 'application/octet-stream';
  context.set('cache-control', 'public, max-age=31536000, immutable');
  context.etag = digest;
  if (context.fresh) context.status = 304;
  else context.body = Buffer.from(leaves.buffer, leaves.byteOffset, leaves.byteLength);
}
