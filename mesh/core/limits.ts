/** The mesh's tuning. Each number has its unit, its reason, and what would change it. */

/** How long a first request waits for a channel after the join reply named site members, ms. Six Chromiums starting together had their first channel 0.2-0.6 s after joining. */
export const CHANNEL_WAIT_MS = 700;

/** How long it waits for a neighbour whose channel is open to tell what it holds, ms. An honest one tells within a round trip; ten of a bad line. */
export const INVENTORY_WAIT_MS = 500;

/** How long a first request waits for the mesh in all, ms: more would be felt as a slow start. */
export const FIRST_REQUEST_WAIT_MS = 1000;

/** A neighbour that lets this long pass with no byte of what it was asked for loses its requests, ms. Ten round trips of a bad line; a twelfth of a player's usual buffer. */
export const SILENCE_MS = 500;

/** The same for a neighbour that gave bytes before, at most, ms. A message that the network lost at the end of a burst comes again only after SCTP's retransmission time-out: 0.4 s in Chromium, 1 s by RFC 9260. */
export const PROVEN_SILENCE_MS = 1200;

/** Of the time until an asset is needed, the part that may pass in silence: a quarter leaves the origin three quarters. */
export const SILENCE_OF_SLACK = 1 / 4;

/** A neighbour that needs longer than this for one block loses its requests too, however often single bytes come, ms: 64 KiB at 175 kbit/s. */
export const SLOW_BLOCK_MS = 3000;

/** A neighbour that at its pace would need longer than this, or than until the deadline, for what it owes loses its requests, ms. It owes up to 1 MiB: 2 Mbit/s do. */
export const PACE_MS = 4000;

/** How often silence is looked for, ms. A tick that comes late counts as one tick, so that a starved clock does not accuse the neighbour. */
export const SILENCE_TICK_MS = 100;

/** A neighbour that fell silent is asked again after this, ms, doubled each time up to the maximum. */
export const SILENT_PAUSE_MS = 4000;
export const SILENT_PAUSE_MAX_MS = 60_000;

/** How often in a row the bytes that we gave up, coming late, end such a pause. A neighbour that is merely slow is worth it; one that plays for time costs SILENCE_MS each. */
export const LATE_EXCUSES = 2;

/** Blocks in one request: 512 KiB, so that a request outlives a round trip of 30 ms at 100 Mbit/s. */
export const BLOCKS_PER_REQUEST = 8;

/** Requests under way to one neighbour for one asset: the next is there when the last is served. */
export const REQUESTS_PER_NEIGHBOUR = 2;

/** Rounds of asking neighbours for one asset once the origin has failed. */
export const LAST_RESORT_ROUNDS = 3;

/** A neighbour that we heard nothing from for this long is pinged, ms. */
export const PING_AFTER_MS = 1000;

/** A neighbour that we heard nothing from for this long is gone, ms. It must leave `mesh.stats` in under 5 s; a page in the foreground answers within one. */
export const GONE_AFTER_MS = 4000;

/** How often neighbours are looked at, ms. Together with GONE_AFTER_MS and STATS_EVERY_MS half a second below the 5 s after which a gone peer must have left `mesh.stats`: a busy machine needs it. */
export const LIVENESS_TICK_MS = 250;

/** A connection attempt that is not open by then is given up, ms. ICE with trickle takes under 3 s where it works at all. */
export const DIAL_TIMEOUT_MS = 10_000;

/** A peer that offers again while its last offer is under way is not heard before this, ms. */
export const REOFFER_AFTER_MS = 1000;

/** Pauses before a lost or failed connection is offered again, ms. After the last the peer is left alone until the server names it anew. */
export const REDIAL_AFTER_MS: readonly number[] = [1000, 3000, 9000];

/** Bytes handed to a channel before we wait for it to drain: 17 ms at 15 MB/s, so control messages never wait long. */
export const CHANNEL_BUFFER_BYTES = 256 * 1024;

/** `bufferedAmountLowThreshold`, bytes: refilled before it runs dry. */
export const CHANNEL_REFILL_BYTES = 64 * 1024;

/** Requests that one neighbour may have open with us; more are refused as busy. */
export const REQUESTS_FROM_NEIGHBOUR = 32;

/** Memory for assets, bytes. A lesson of 5 min at 2 Mbit/s is 75 MB; a tab that takes more is a burden on a phone. */
export const STORE_BYTES = 128 * 1024 * 1024;

/** How long an asset without a name waits for the manifest, ms. */
export const MANIFEST_WAIT_MS = 1000;

/** Statistics go to the page at most this often, ms. */
export const STATS_EVERY_MS = 200;

/** Peer ids remembered as banned. Beyond it the oldest is forgotten. */
export const MAX_BANNED = 1000;

/** Pauses before the signaling server is tried again, ms: the first, and the longest. A server that restarts is found within 10 s, by a thousand viewers spread over seconds (socket.io adds ±50 % of chance). */
export const RECONNECT_AFTER_MS = 500;
export const RECONNECT_AFTER_MAX_MS = 4000;

/** A connection to the signaling server that does not open in this time is given up, ms. */
export const CONNECT_TIMEOUT_MS = 5000;

/** A question to the signaling server that is not answered in this time counts as refused, ms. */
export const ANSWER_TIMEOUT_MS = 5000;
