/** Numbers of the player. Each has its unit, its reason, and what would change it. */

/** Next segments of each rendition that are looked up among the neighbours while the origin is unreachable. With 4 s segments half a minute: hls.js's own buffer goal. */
export const HELD_AHEAD_SEGMENTS = 8;

/** Next segments that must be held for a rendition to count as fully held. Two: the next request and the one after it, so that a switch pays off. */
export const HELD_RUN_SEGMENTS = 2;

/** Share of the estimated bandwidth that a rendition may need. hls.js's abrBandWidthUpFactor. */
export const BANDWIDTH_SHARE = 0.7;

/** Milliseconds before the first try again after a segment failed; doubled each time, at most RETRY_MAX_MS. hls.js waits 1000; the next try may go to a neighbour, which is there. */
export const SEGMENT_RETRY_MS = 500;

/** Longest wait between two tries, ms. hls.js's own. An origin that comes back is found within it. */
export const RETRY_MAX_MS = 8000;

/** Tries again of a multivariant playlist that is unreachable, after 1 s and 2 s. Nothing can be shown without it, so the page must hear of it soon. */
export const MANIFEST_RETRIES = 2;

/** Fatal errors in a row that an origin which answers (4xx) may cause before the element gives up. */
export const REFUSED_RETRIES = 1;

/** Milliseconds after which a second media error is taken for a new one, not for the failure of the recovery. */
export const MEDIA_RECOVERY_MS = 30_000;

/** Playlists kept for each page, and characters of text in one that is kept: a day of 4 s segments with digests is 2.5 million. */
export const MAX_KEPT_PLAYLISTS = 100;
export const MAX_KEPT_CHARACTERS = 4_000_000;
