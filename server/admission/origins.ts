import type { IncomingMessage } from 'node:http';
import type { AllowedOrigins } from '../allowed-origins.ts';

/**
 * May the page that asks join? Browsers say in `Origin` (Fetch Standard, 3.2) whose page it is, and no page can change that; who is no browser
 * says what it likes, and is what tokens are for. With a list, no `Origin` is a no. One exception: a page of this very server that polls, for
 * browsers leave the header away there and say `Sec-Fetch-Site: same-origin` instead.
 */
export function isAllowedOrigin(allowed: AllowedOrigins, { headers }: IncomingMessage): boolean {
  if (allowed === '*') return true;
  const { origin, host = '' } = headers;
  if (origin !== undefined) return allowed.includes(origin);
  const isOwnPage = headers['sec-fetch-site'] === 'same-origin';
  return isOwnPage && (allowed.includes(`https://${host}`) || allowed.includes(`http://${host}`));
}
