/** Do status and headers of an answer allow sharing? RFC 9111, 5.2.2: `private` and `no-store` are not for others. What was redirected is not the URL's own. */
export function isShareable(response: Response): boolean {
  const cacheControl = response.headers.get('cache-control') ?? '';
  return (
    (response.status === 200 || response.status === 206) &&
    !response.redirected &&
    !/\b(private|no-store)\b/i.test(cacheControl)
  );
}
