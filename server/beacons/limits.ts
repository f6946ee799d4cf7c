/** What one client's beacons may say. Each number has its unit, its reason, and what would change it. */

/** Beacons that may come at once: that of the minute, the last of a visit, and those of a page that is hidden and shown again. */
export const BEACON_BURST = 4;

/** Milliseconds after which one more may come. The kit sends one a minute. */
export const BEACON_EVERY_MS = 15_000;

/** Milliseconds of viewing that a client may report beyond the time for which its socket is open: it counts on while the server is away, and a new tab's first beacon comes late. */
export const BEACON_CREDIT_MS = 60_000;

/** Milliseconds of viewing in one beacon, at most: ten minutes in which a server was away. */
export const BEACON_MAX_MS = 10 * 60_000;

/** Bytes of each kind that one client counts for a second, at most, on average: 128 Mbit/s, five times a 4K stream. Whoever brings more in advance (`mesh.prefetch()` on a fast line) counts for less than it did. */
export const BEACON_BYTES_PER_SECOND = 16_000_000;

/** Milliseconds to a first frame, at most: two minutes are as bad as any more. */
export const MAX_FIRST_FRAME_MS = 120_000;
