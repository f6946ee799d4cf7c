import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Context } from 'koa';
import { Lru } from '../lru.ts';
import { COMPRESS_FROM_BYTES, MAX_COMPRESSED_BYTES } from '../limits.ts';

export interface BodyOptions {
  /** `content-type`. */
  readonly type: string;
  /** `cache-control`. */
  readonly cache: string;
}

const compress = promisify(gzip);

/** By ETag: many viewers ask for the same. */
const compressed = new Lru<string, Promise<Buffer>>(MAX_COMPRESSED_BYTES);

/** Answers with bytes made by the server, compressed where that saves a packet, with an ETag from the content and 304 when the client has them already. */
export async function sendBody(
  context: Context,
  body: Uint8Array | string,
  { type, cache }: BodyOptions,
): Promise<void> {
  const bytes =
    typeof body === 'string' ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const isCompressed = bytes.length >= COMPRESS_FROM_BYTES && context.acceptsEncodings('gzip', 'identity') === 'gzip';
  const hash = createHash('sha256').update(bytes).digest('base64url').slice(0, 27);
  context.status = 200;
  context.type = type;
  context.set('cache-control', cache);
  context.vary('accept-encoding');
  context.etag = isCompressed ? `${hash}-gzip` : hash;
  if (context.fresh) {
    context.status = 304;
    return;
  }
  if (!isCompressed) {
    context.body = bytes;
    return;
  }
  const sent = compressed.get(hash) ?? compress(bytes);
  compressed.set(hash, sent, bytes.length);
  context.set('content-encoding', 'gzip');
  context.body = await sent;
}

/** Answers with one plain line for people. */
export function sendText(context: Context, status: number, text: string): void {
  context.status = status;
  context.type = 'text/plain; charset=utf-8';
  context.set('cache-control', 'no-store');
  context.body = `${text}\n`;
}
