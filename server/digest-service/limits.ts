/** What the digest service keeps, waits for and refuses. Each number has its unit, its reason, and what would change it. */

/** Requests to origins for assets at a time. Four fill a fast line while one of them waits for its first byte; more would crowd out the viewers whose segments come from there too. */
export const ASSETS_AT_ONCE = 4;

/** Assets that wait for their turn, in all: two days of 4 s segments in some megabytes. What finds no place is tried again when it is asked for later. */
export const MAX_WAITING_ASSETS = 50_000;

/** Assets that one playlist may list, and all remembered playlists together (about 0.5 KB each). A day of 4 s segments is 21,600. */
export const MAX_PLAYLIST_ASSETS = 25_000;
export const MAX_LISTED_ASSETS = 200_000;

/** What a playlist weighs on top of its assets in that account: its URL and its state, so that empty ones are bounded too. */
export const PLAYLIST_WEIGHT = 20;

/** Media playlists that are read of one multivariant playlist: ten renditions with sound and subtitles in a dozen languages. */
export const MAX_MEDIA_PLAYLISTS = 32;

/** Characters of a playlist's URL, as for every URL that browsers and servers agree on. Signed ones have some hundred. */
export const MAX_URL_CHARACTERS = 2048;

/** Playlists that nobody has asked for yet: at most so many a second, and so many at once when a site opens. A stranger who makes URLs up is no more work than this. */
export const NEW_PLAYLISTS_PER_SECOND = 2;
export const NEW_PLAYLISTS_AT_ONCE = 50;

/** The same of one address, a quarter of it: a school that opens a dozen lessons at once is served, and leaves some to others. What is remembered of addresses is bounded; the oldest is forgotten. */
export const NEW_PLAYLISTS_PER_SECOND_PER_ADDRESS = NEW_PLAYLISTS_PER_SECOND / 4;
export const NEW_PLAYLISTS_AT_ONCE_PER_ADDRESS = 12;
export const MAX_NEW_PLAYLIST_ADDRESSES = 10_000;

/** Playlists remembered that differ in their query alone. An origin may serve a few so; who counts `?x=1` up gets no further. */
export const MAX_QUERY_VARIANTS = 16;

/** Milliseconds for which a playlist that can't be had or used is not asked for again. */
export const FAILED_PLAYLIST_MS = 5000;

/** Milliseconds for which a VOD playlist is not asked for again. It must not change (RFC 8216, 6.2.1), but a deploy may replace it. */
export const VOD_FRESH_MS = 60_000;

/** Milliseconds between two looks at a live playlist, at least, when viewers ask: they see a segment appear before our own look at it does. */
export const LIVE_LOOK_MS = 500;

/** Milliseconds for which a live playlist is looked at without being asked for: three asks of a slow player may be lost. */
export const LIVE_WATCHED_MS = 30_000;

/** Milliseconds between our own looks at a live playlist: its target duration, but between these (RFC 8216, 6.3.4). */
export const MIN_TARGET_MS = 1000;
export const MAX_TARGET_MS = 60_000;

/** Milliseconds for a playlist, for an asset, and without a byte of either. An origin that needs more is no CDN; 64 MiB in a minute are 9 Mbit/s. */
export const PLAYLIST_TIMEOUT_MS = 10_000;
export const ASSET_TIMEOUT_MS = 60_000;
export const IDLE_TIMEOUT_MS = 10_000;

/** Redirects that are followed for a playlist. CDNs use one to the nearest edge. */
export const MAX_REDIRECTS = 3;

/** Bytes of an answer's headers. Node's own default; real ones have 1 to 2 KB. */
export const MAX_HEADER_BYTES = 16 * 1024;

/** Milliseconds for which a digest is believed without asking the origin: as long as its `max-age` says, but between ten minutes (segments don't change; asking costs a request each) and a day. */
export const MIN_FRESH_MS = 600_000;
export const MAX_FRESH_MS = 86_400_000;

/** Milliseconds after which an asset is tried again that the origin did not give, and one that may not be shared. A live segment may be listed a moment before it is there. */
export const FAILED_ASSET_MS = 5000;
export const REFUSED_ASSET_MS = 600_000;

/** Bytes of digests and leaves in memory: 64 GiB of segments. */
export const MAX_RECORD_BYTES = 32 * 1024 * 1024;

/** Bytes on the disk, by default: about 60,000 segments, for each takes a block of the file system. */
export const DEFAULT_CACHE_BYTES = 256 * 1024 * 1024;

/** Bytes of a block of the file system, as most have it: what a small file really takes. */
export const DISK_BLOCK_BYTES = 4096;

/** Bytes of what stands before the leaves in a file of the cache: a URL, two validators and a digest as JSON. */
export const MAX_RECORD_HEAD_BYTES = 16 * 1024;

/** Seconds for which an answer may be kept: of a playlist all of whose digests are known, and while more are to come. */
export const COMPLETE_MAX_AGE_SECONDS = 60;
export const PARTIAL_MAX_AGE_SECONDS = 1;

/** Requests that wait for digests at a time; more are answered at once with what is known. Each holds a connection for some seconds. */
export const MAX_WAITING_REQUESTS = 1000;

/** Milliseconds without being asked for after which a playlist gives its place to another that differs in its query alone. */
export const VARIANT_IDLE_MS = 60_000;
