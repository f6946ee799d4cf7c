import { P2PError } from '../../protocol/error.ts';
import { ENGINE_REFERRER, markedFor } from '../../protocol/worker.ts';
import { isShareable } from '../../protocol/is-shareable.ts';
import type { LoadedAsset, LoadOptions } from './types.ts';

/**
 * Without the engine: the origin, as the page would have asked. `shareable` tells whether the answer's headers allow sharing it.
 * @throws P2PError `origin-failed` for an HTTP error; what `fetch` throws where no answer came
 */
export async function loadPlainly(
  url: string,
  { signal, range }: LoadOptions,
): Promise<LoadedAsset & { readonly shareable: boolean }> {
  const response = await fetch(url, {
    signal: signal ?? null,
    // By it the service worker lets the request pass.
    ...markedFor(url, location.origin + ENGINE_REFERRER),
    headers: range ? { range: `bytes=${range.start}-${range.end - 1}` } : {},
  });
  if (!response.ok)
    throw new P2PError('origin-failed', `The origin answered ${url} with ${response.status}.`, {
      url,
      status: response.status,
    });
  return {
    body: await response.arrayBuffer(),
    contentType: response.headers.get('content-type') ?? '',
    source: 'origin',
    shared: false,
    shareable: isShareable(response),
    url: response.url,
  };
}
