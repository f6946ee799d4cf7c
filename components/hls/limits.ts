/** Numbers of the player. Each has its unit, its reason, and what would change it. */

/** Next segments of each rendition that are looked up among the neighbours. With 4 s segments half a minute: hls.js's own buffer goal. */
export const HELD_AHEAD_SEGMENTS = 8;

/** Next segments that must be held for a rendition to count as fully held. Two: the next request and the one after it, so that a switch pays off. */
export const HELD_RUN_SEGMENTS = 2;

/** Share of the estimated bandwidth that a rendition may need. hls.js's abrBandWidthUpFactor. */
export const BANDWIDTH_SHARE = 0.7;

/** What the line must carry for a rendition, over its bitrate. A fifth for what else the line carries, and for segments above the average. */
export const LINE_HEADROOM = 1.2;

/** The same while the buffer is short: a better rendition is taken at once where the line carries it twice. With less to spare, what is under way in the old one would use the buffer up. */
export const CLIMB_HEADROOM = 2;

/** Seconds in the buffer below which it is short: a rendition that the line does not carry is left. Two long segments, so that the next lower one comes in time. */
export const SHORT_BUFFER_S = 10;

/** Seconds in the buffer below which, if it has been twice as much before, slow delivery alone makes a rendition be left: one long segment. */
export const CRITICAL_BUFFER_S = 4;

/** How long the line must have had headroom for a better rendition before it is taken, ms; twice as long after each step down. An estimate that jitters does not last. During the first so many milliseconds it need not last: what is played first is a guess. */
export const STEP_UP_AFTER_MS = 10_000;

/** How long a viewer that is behind its neighbours goes on with the rendition that they have, ms, when it could climb by itself. */
export const FOLLOW_MS = 20_000;

/** Seconds of film beyond the buffer that the mesh is told of. hls.js's own buffer goal. */
export const EXPECTED_AHEAD_S = 30;

/** Seconds of a live stream that stay in the player's buffer behind the playhead. hls.js keeps all of it, so that a page that is left open grows until the browser runs out of patience; who jumps back further gets it from the store. */
export const LIVE_BEHIND_S = 60;

/** How far an announced time may be off before it is told anew, ms: less than any decision depends on. */
export const EXPECTED_DRIFT_MS = 1000;

/** Of a segment's duration, what the rest of it and a whole one after it may take to come for it to be played while it comes: three quarters, so that a line that becomes a quarter slower stalls nobody. */
export const EARLY_SHARE = 0.75;

/** Seconds of film that must be there before a segment is played while it comes. Browsers begin with less, but the rate so far is a guess: with 1 s one of eighteen viewers stood still again for half a second on a busy machine; with 2 s and half of the duration hardly anybody begins before the last byte (first frame 1.6 times the reference in place of 1.1). */
export const EARLY_SECONDS = 1.5;

/** Longest wait for the first byte of a segment, ms. hls.js gives an origin 10 s; the mesh's own waits for somebody else's crossing, which it bounds itself, come before. A timeout here would start a second crossing. */
export const FIRST_BYTE_MS = 20_000;

/** Of a segment's duration, how long `abr="player"` may wait for others: hls.js abandons it after half. */
export const PLAYER_PATIENCE = 0.4;

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

/** Milliseconds that what is needed at once waits for its digest, all of it together: no first frame comes more than 0.3 s later. */
export const NAME_PATIENCE_MS = 300;
