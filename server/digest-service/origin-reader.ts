/**
 * Reads from allow-listed origins, and from nowhere else: addresses are checked and pinned, redirects followed by hand and checked again, nothing is
 * sent that could identify anybody, and headers, silence and duration are bounded. Owned by the DigestService.
 */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { pipeline, type Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { P2PError } from '../../protocol/error.ts';
import type { ByteRange } from '../playlist/playlist.ts';
import { forbiddenAddress, guardedLookup, type Resolve } from './guarded-lookup.ts';
import { ASSETS_AT_ONCE, IDLE_TIMEOUT_MS, MAX_HEADER_BYTES, MAX_REDIRECTS } from './limits.ts';
import { mayConnect } from './may-connect.ts';

export interface OriginReaderOptions {
  /** Web origins (scheme, host and port) that may be read. */
  readonly origins: readonly string[];
  /** Addresses of private networks, and of this machine, too. */
  readonly allowsPrivate: boolean;
  /** Default: the system's resolver. */
  readonly resolve?: Resolve;
}

export interface ReadRequest {
  readonly url: string;
  /** Bytes `[start, end)`; undefined: all. */
  readonly range?: ByteRange | undefined;
  readonly etag?: string | undefined;
  readonly lastModified?: string | undefined;
  /** Are redirects followed? Else one is an answer like any other. */
  readonly followsRedirects: boolean;
  /** For all of it, body included, ms. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface OriginAnswer {
  readonly status: number;
  /** After redirects. */
  readonly url: string;
  readonly redirected: boolean;
  readonly headers: { get(name: string): string | null };
  /** As `fetch()` gives it: without its Content-Encoding. Reading all of it, or `cancel`, ends the request. */
  readonly body: Readable;
  readonly cancel: () => void;
}

const REDIRECTS = [301, 302, 303, 307, 308];

export class OriginReader {
  readonly #options: OriginReaderOptions;
  readonly #http: HttpAgent;
  readonly #https: HttpsAgent;

  constructor(options: OriginReaderOptions) {
    this.#options = options;
    const pool = { keepAlive: true, maxSockets: 2 * ASSETS_AT_ONCE, timeout: IDLE_TIMEOUT_MS };
    this.#http = new HttpAgent(pool);
    this.#https = new HttpsAgent(pool);
  }

  /** Is this a URL that may be read? */
  admits(url: string): boolean {
    if (!URL.canParse(url)) return false;
    const { origin, protocol, username, password } = new URL(url);
    return (
      (protocol === 'http:' || protocol === 'https:') &&
      username === '' &&
      password === '' &&
      this.#options.origins.includes(origin)
    );
  }

  /** @throws P2PError `origin-failed` where the URL, a redirect, or an address is none that may be read, or no answer comes; the reason of `signal` */
  async read(request: ReadRequest): Promise<OriginAnswer> {
    const deadline = deadlineOf(request);
    try {
      let url = request.url;
      for (let redirects = 0; ; redirects++) {
        const response = await this.#request(url, request, deadline.signal);
        const location = response.headers.location;
        if (!request.followsRedirects || location === undefined || !REDIRECTS.includes(response.statusCode ?? 0))
          return answerOf(response, url, redirects > 0, deadline);
        response.destroy();
        if (redirects >= MAX_REDIRECTS || !URL.canParse(location, url))
          throw failed(request.url, `more than ${MAX_REDIRECTS} redirects, or one to nowhere`);
        url = new URL(location, url).href;
      }
    } catch (error) {
      deadline.end();
      request.signal.throwIfAborted();
      if (error instanceof P2PError) throw error;
      throw failed(request.url, error instanceof Error ? error.message : String(error));
    }
  }

  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }

  #request(url: string, { range, etag, lastModified }: ReadRequest, signal: AbortSignal): Promise<IncomingMessage> {
    if (!this.admits(url)) throw failed(url, 'it is of no origin in --digest-origins');
    const { hostname, protocol } = new URL(url);
    const { allowsPrivate, resolve } = this.#options;
    const bare = hostname.replace(/^\[|\]$/g, '');
    // A socket looks up no name that is an address.
    if (isIP(bare) > 0 && !mayConnect(bare, allowsPrivate)) throw forbiddenAddress(hostname, bare);
    const isSecure = protocol === 'https:';
    const options: RequestOptions = {
      agent: isSecure ? this.#https : this.#http,
      lookup: guardedLookup(allowsPrivate, resolve),
      maxHeaderSize: MAX_HEADER_BYTES,
      signal,
      headers: {
        accept: '*/*',
        'accept-encoding': 'identity',
        'user-agent': 'p2p-elements',
        ...(range && { range: `bytes=${range.start}-${range.end - 1}` }),
        ...(etag !== undefined && { 'if-none-match': etag }),
        ...(lastModified !== undefined && { 'if-modified-since': lastModified }),
      },
    };
    return new Promise((done, fail) => {
      const request = (isSecure ? httpsRequest : httpRequest)(url, options, done);
      request.setTimeout(IDLE_TIMEOUT_MS, () => request.destroy(new Error(`silence for ${IDLE_TIMEOUT_MS} ms`)));
      request.on('error', fail);
      request.end();
    });
  }
}

interface Deadline {
  readonly signal: AbortSignal;
  readonly end: () => void;
}

/** Aborts with the request's signal, and when its time is over. */
function deadlineOf({ timeoutMs, signal }: ReadRequest): Deadline {
  signal.throwIfAborted();
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  const timer = setTimeout(abort, timeoutMs);
  signal.addEventListener('abort', abort);
  const end = (): void => {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  };
  return { signal: controller.signal, end };
}

function answerOf(response: IncomingMessage, url: string, redirected: boolean, { end }: Deadline): OriginAnswer {
  const { statusCode: status = 0, headers } = response;
  const body = decoded(response);
  response.once('close', end);
  // who reads the body hears of it; who cancelled does not want to
  for (const stream of [response, body]) stream?.on('error', () => undefined);
  if (body === undefined) {
    response.destroy();
    throw failed(url, `the unknown Content-Encoding ${headers['content-encoding'] ?? ''}`);
  }
  return {
    status,
    url,
    redirected,
    headers: {
      get: (name) => {
        const value = headers[name];
        return value === undefined ? null : Array.isArray(value) ? value.join(', ') : value;
      },
    },
    body,
    cancel: () => response.destroy(),
  };
}

/** We ask for none, but an origin may encode all the same, and browsers decode it. Undefined: an encoding that they would not have taken. */
function decoded(response: IncomingMessage): Readable | undefined {
  const decoder = decoderOf((response.headers['content-encoding'] ?? '').trim().toLowerCase());
  if (decoder === undefined || decoder === 'none') return decoder && response;
  return pipeline(response, decoder, () => undefined); // its errors are the decoder's too
}

function decoderOf(encoding: string): (Readable & NodeJS.WritableStream) | 'none' | undefined {
  switch (encoding) {
    case '':
    case 'identity':
      return 'none';
    case 'gzip':
    case 'x-gzip':
      return createGunzip();
    case 'deflate':
      return createInflate();
    case 'br':
      return createBrotliDecompress();
    default:
      return undefined;
  }
}

const failed = (url: string, why: string): P2PError =>
  new P2PError('origin-failed', `The origin did not give ${url}: ${why}.`, { url });
