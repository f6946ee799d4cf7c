/** What to do about a fatal error of hls.js. Its advice: `startLoad()` on a network error, `recoverMediaError()` once on a media error. */
import { MANIFEST_RETRIES, MEDIA_RECOVERY_MS, REFUSED_RETRIES, RETRY_MAX_MS } from './limits.ts';

export interface FatalError {
  readonly kind: 'network' | 'media' | 'other';
  /** Was it the playlist at `src` itself, so that nothing can be shown yet? */
  readonly manifest: boolean;
  /** HTTP status; 0: no answer. */
  readonly status: number;
}

export interface RecoveryHistory {
  /** Fatal network errors since a segment last arrived. */
  readonly networkErrors: number;
  /** Milliseconds since the last recovery from a media error; Infinity: never. */
  readonly sinceMediaRecovery: number;
}

export type Recovery =
  | { readonly do: 'load-again'; readonly afterMs: number }
  | { readonly do: 'recover-media' }
  | { readonly do: 'give-up' };

/** A native element with the same trouble would fire `error`; we do so only when trying on can't help. */
export function decideRecovery(error: FatalError, history: RecoveryHistory): Recovery {
  if (error.kind === 'media') {
    return history.sinceMediaRecovery > MEDIA_RECOVERY_MS ? { do: 'recover-media' } : { do: 'give-up' };
  }
  if (error.kind === 'other') return { do: 'give-up' };
  const refused = error.status >= 400 && error.status < 500;
  const again: Recovery = {
    do: 'load-again',
    afterMs: Math.min(RETRY_MAX_MS, 1000 * 2 ** Math.min(history.networkErrors, 10)),
  };
  if (error.manifest) return !refused && history.networkErrors < MANIFEST_RETRIES ? again : { do: 'give-up' };
  // No answer, or a server in trouble: as long as the element lives, the origin may come back.
  return !refused || history.networkErrors < REFUSED_RETRIES ? again : { do: 'give-up' };
}
