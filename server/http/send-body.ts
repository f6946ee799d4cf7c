import { createHash } from 'node:crypto';
import type { Context } from 'koa';

export interface BodyOptions {
  /** `content-type`. */
  readonly type: string;
  /** `cache-control`. */
  readonly cache: string;
}

/** Answers with bytes made by the server, with an ETag from the content and 304 when the client has them already. */
export function sendBody(context: Context, body: Uint8Array | string, { type, cache }: BodyOptions): void {
  const bytes =
    typeof body === 'string' ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  context.status = 200;
  context.type = type;
  context.set('cache-control', cache);
  context.etag = createHash('sha256').update(bytes).digest('base64url').slice(0, 27);
  if (context.fresh) context.status = 304;
  else context.body = bytes;
}

/** Answers with one plain line for people. */
export function sendText(context: Context, status: number, text: string): void {
  context.status = status;
  context.type = 'text/plain; charset=utf-8';
  context.set('cache-control', 'no-store');
  context.body = `${text}\n`;
}
