/** The part of a `Response` that decides. */
export interface AnswerFacts {
  readonly status: number;
  readonly redirected: boolean;
  readonly headers: { get(name: string): string | null };
}

/** What an answer differs by, and its bytes do not: the digest is over what was decoded, and CORS is asked for by everybody. */
const SAME_BYTES = new Set([
  'accept-encoding',
  'origin',
  'access-control-request-method',
  'access-control-request-headers',
]);

/**
 * Do status and headers of an answer allow sharing? RFC 9111, 5.2.2: `private` and `no-store` are not for others. RFC 9110, 12.5.5: what varies by who
 * asks is not for all. What was redirected is not the URL's own.
 */
export function isShareable({ status, redirected, headers }: AnswerFacts): boolean {
  const cacheControl = headers.get('cache-control') ?? '';
  const vary = (headers.get('vary') ?? '').toLowerCase().split(',');
  return (
    (status === 200 || status === 206) &&
    !redirected &&
    !/\b(private|no-store)\b/i.test(cacheControl) &&
    vary.every((name) => name.trim() === '' || SAME_BYTES.has(name.trim()))
  );
}
