/** Which URLs the page lets be shared, by its lists of patterns (URL Pattern Standard). A module of its own, for most pages have none. */
import type { SharePatterns } from '../../protocol/page.ts';

export type UrlFilter = (url: string) => boolean;

/** @throws TypeError for a pattern that is none, and where the browser knows none: then nothing may be shared */
export function urlFilter({ share, exclude, base }: SharePatterns): UrlFilter {
  const matcher = (patterns: readonly string[]): UrlFilter => {
    const all = patterns.map((pattern) => new URLPattern(pattern, base));
    return (url) => all.some((pattern) => pattern.test(url));
  };
  const isExcluded = matcher(exclude);
  const isListed = share === null ? () => true : matcher(share);
  return (url) => isListed(url) && !isExcluded(url);
}
