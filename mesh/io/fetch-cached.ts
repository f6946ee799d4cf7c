import type { CachedAnswer } from '../core/ports.ts';
import { isShareable } from '../../protocol/is-shareable.ts';

/** What the browser itself has of a URL of our web origin, however old; null: nothing. Asks no network. */
export async function fetchCached(url: string): Promise<CachedAnswer | null> {
  try {
    const response = await fetch(url, { cache: 'only-if-cached', mode: 'same-origin', credentials: 'omit' });
    if (response.status !== 200) return null;
    return {
      body: new Uint8Array(await response.arrayBuffer()),
      contentType: response.headers.get('content-type') ?? '',
      shareable: isShareable(response),
    };
  } catch {
    return null; // Nothing is cached, or it is of another web origin.
  }
}
