import type { Stats } from 'node:fs';
import type { Context } from 'koa';
import send from 'send';
import { contentType } from '../content-type.ts';
import { sendText } from './send-body.ts';

export interface FileOptions {
  /** Folder that the path may not leave. */
  readonly root: string;
  /** Percent-encoded path below `root`, with a leading slash. */
  readonly path: string;
  /** `cache-control`. */
  readonly cache: string;
  /** Set when the file is a compressed form of what was asked for. */
  readonly encoding?: 'br' | 'gzip';
  /** Path that says the content type; `path` by default. */
  readonly typeOf?: string;
}

/**
 * Answers with a file: ranges, conditional requests and HEAD by the `send` library. A folder, a dotfile, a path out of `root` and a file
 * that is not there are 404 (or 403, 400), with nothing of the disk in the answer.
 */
export function sendFile(context: Context, { root, path, cache, encoding, typeOf = path }: FileOptions): Promise<void> {
  const { promise, resolve } = settled();
  const stream = send(context.req, path, {
    root,
    dotfiles: 'ignore',
    index: false,
    cacheControl: false,
    // a range of compressed bytes would be of no use to a client that asked for a range of the file
    acceptRanges: encoding === undefined,
  });
  const refuse = (status: number): void => {
    context.respond = true;
    sendText(context, status, REASONS[status] ?? 'This file cannot be read now.');
    resolve();
  };
  stream.on('headers', (response: Context['res'], _path: string, stats: Stats) => {
    response.setHeader('content-type', contentType(decodeURI(typeOf)));
    response.setHeader('cache-control', cache);
    if (encoding !== undefined) response.setHeader('content-encoding', encoding);
    response.setHeader('etag', etagOf(stats, encoding));
  });
  stream.on('directory', () => refuse(404));
  stream.on('error', (error: Error & { status?: number; headers?: Record<string, string> }) => {
    if (context.res.headersSent) {
      context.res.destroy(); // the length is promised already: a cut connection is the only way to say that the rest is missing
      resolve();
      return;
    }
    const range = error.headers?.['Content-Range'];
    for (const name of ['etag', 'last-modified', 'content-encoding', 'content-range']) context.remove(name);
    if (range !== undefined) context.set('content-range', range);
    refuse(error.status ?? 500);
  });
  context.respond = false; // `send` writes the answer
  context.res.statusCode = 200; // Koa begins with 404
  context.res.once('close', resolve);
  stream.pipe(context.res);
  return promise;
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'This path is malformed.',
  403: 'This path leads out of the folder.',
  404: 'There is no such file.',
  412: 'The file has changed.',
  416: 'The range begins behind the end of the file.',
};

/** A strong validator, so that ranges can carry `If-Range` (RFC 9110, 13.1.5): two versions of a file are never spliced. */
const etagOf = (stats: Stats, encoding: string | undefined): string =>
  `"${stats.size.toString(16)}-${Math.round(stats.mtimeMs * 1000).toString(16)}-${stats.ino.toString(16)}${encoding === undefined ? '' : `-${encoding}`}"`;

function settled(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
