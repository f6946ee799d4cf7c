import { P2PError } from '../../protocol/error.ts';
import type { LoadedAsset, LoadOptions } from './types.ts';

/** Without an engine: the origin, as the page would have asked. */
export async function loadPlainly(url: string, { signal, range }: LoadOptions): Promise<LoadedAsset> {
  const response = await fetch(url, {
    signal: signal ?? null,
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
    url: response.url,
  };
}
