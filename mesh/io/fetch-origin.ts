import { markedFor } from '../../protocol/worker.ts';
import type { OriginFetch } from '../core/ports.ts';
import { isShareable } from '../../protocol/is-shareable.ts';

/**
 * The origin by `fetch`.
 * @param referrer a URL of the page's own origin by which the service worker knows the engine's requests to it and lets them pass
 */
export function fetchOrigin(referrer: string): OriginFetch {
  return async ({ url, range, credentials, signal, revalidates = false }) => {
    const headers: HeadersInit = range ? { range: `bytes=${range.start}-${range.end - 1}` } : {};
    const cache: RequestCache = revalidates ? 'no-cache' : 'default';
    const response = await fetch(url, { credentials, signal, headers, cache, ...markedFor(url, referrer) });
    return {
      status: response.status,
      url: response.url,
      contentType: response.headers.get('content-type') ?? '',
      size: bodySize(response),
      start: response.status === 206 ? firstByte(response.headers.get('content-range'), range?.start ?? 0) : 0,
      headers: Object.fromEntries(response.headers),
      shareable: isShareable(response),
      chunks: chunksOf(response.body),
    };
  };
}

/** Content-Length counts encoded bytes, and another origin's Content-Encoding is hidden from us. */
function bodySize(response: Response): number | null {
  const length = response.headers.get('content-length');
  const plain = response.type === 'basic' && response.headers.get('content-encoding') === null;
  return plain && length !== null && /^\d+$/.test(length) ? Number(length) : null;
}

/** First byte by Content-Range (RFC 9110, 14.4). Other origins may hide the header; then what was asked for is believed, for each block is checked. */
function firstByte(contentRange: string | null, asked: number): number {
  if (contentRange === null) return asked;
  const first = /^bytes (\d+)-/.exec(contentRange)?.[1];
  return first === undefined ? -1 : Number(first);
}

async function* chunksOf(
  body: ReadableStream<Uint8Array<ArrayBuffer>> | null,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  if (!body) return;
  const reader = body.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    void reader.cancel().catch(() => undefined);
  }
}
