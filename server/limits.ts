/**
 * What the server keeps, waits for and refuses. Each number has its unit, its reason, and what would change it.
 * Limits that both ends of a wire must agree on are in `protocol/limits.ts`.
 */

/** Bytes read from a file at a time: four blocks. Larger reads are hardly faster and hold the event loop longer (256 KiB of SHA-256: about 0.2 ms). */
export const HASH_READ_BYTES = 256 * 1024;

/** Files hashed at a time. Two keep a disk busy while one of them computes; more only compete for one CPU core. */
export const HASH_CONCURRENCY = 2;

/** Times that a file which changes under our hands is hashed anew before it is left out. An encoder that still writes will be done by the next request. */
export const HASH_ATTEMPTS = 3;

/** Milliseconds for which a file must be untouched before it is listed in the manifest: encoders and copies write several times a second. */
export const SETTLE_MS = 300;

/** Milliseconds: a file touched less than this before it was hashed may change once more with no new time stamp (kernels count in ticks of 1-10 ms), so its digest is not remembered. */
export const RACY_MS = 30;

/** Files whose digests are remembered. 100,000 are a week of 4 s segments, in about 50 MB. */
export const MAX_HASHED_FILES = 100_000;

/** Bytes of leaves kept in memory, for 64 GiB of media. Leaves that were dropped are hashed again when asked for. */
export const MAX_LEAVES_BYTES = 32 * 1024 * 1024;

/** Files looked at under the media folder, and folders below one another: what one manifest request may cost. */
export const MAX_MEDIA_FILES = 100_000;
export const MAX_MEDIA_DEPTH = 32;

/** Largest playlist that is read, bytes. A day of 2 s segments is 3 MB; a larger one is served as a plain file. */
export const MAX_PLAYLIST_BYTES = 4 * 1024 * 1024;

/** Milliseconds that a manifest request waits for hashing: a page waits for the manifest, so late files are listed next time. */
export const MANIFEST_WAIT_MS = 2000;

/** Milliseconds that a live playlist waits for hashing: a fraction of a segment; later, the tag is left out. */
export const LIVE_PLAYLIST_WAIT_MS = 1000;

/** Milliseconds after which a folder in which there was nothing to loop is searched again: it may have 100,000 files. */
export const LIVE_SEARCH_AGAIN_MS = 10_000;

/** Milliseconds that a VOD playlist waits for hashing: hls.js gives a playlist 10 s. Until all digests are known it is not in the manifest, so the bytes there and here agree. */
export const VOD_PLAYLIST_WAIT_MS = 8000;

/** Segments in the sample live playlist: players start three from the end, and three more forgive a slow one. */
export const LIVE_WINDOW_SEGMENTS = 6;

/** Seconds a media file may be used without asking: players and `<video>` come back to it, authors replace files within hours. */
export const MEDIA_MAX_AGE_SECONDS = 3600;

/** Bytes of one signaling message. The largest legal one is a join of 16 swarms of 512 characters, each at most 6 bytes when JSON escapes it: 48 KiB. */
export const MAX_SIGNALING_BYTES = 64 * 1024;

/** Bytes that may wait for a client to take them: 30 of the largest signals. One that reads slower than it is told is no use as a peer, and its queue would be our memory. */
export const MAX_UNSENT_BYTES = 256 * 1024;

/** Bytes for one client that are gathered within one turn of the event loop, at most: more goes out at once. */
export const MAX_GATHERED_BYTES = 16 * 1024;

/**
 * Connections that wait for the server to accept them, at most. Node's default, 511, is full after 511 viewers have opened the page while the server did
 * something else for a moment; the kernel then drops what comes, and each of these tries again after 1, 3, 7 s. Linux caps it by net.core.somaxconn (4,096).
 */
export const LISTEN_BACKLOG = 16_384;

/** Milliseconds between pings, and for the pong: a peer that vanished (perhaps a keeper) is out of the directory within 10 s, for 0.2 messages a second and peer. */
export const PING_INTERVAL_MS = 5000;
export const PING_TIMEOUT_MS = 5000;

/** Milliseconds between two looks at who is to be pinged: 200 of them in an interval, so 10,000 peers are pinged 50 at a time, for which a signal waits some 2 ms. */
export const HEARTBEAT_STEP_MS = 25;

/** Bad messages after which a socket is cut off. A client of ours sends none; a few tell a developer what is wrong. */
export const MAX_BAD_MESSAGES = 20;

/** Joins, leaves and claims of one socket that may wait for the directory: what their paces let through at once. A Redis that is slow is no fault of the client's. */
export const MAX_PENDING_REQUESTS = 420;

/** Characters of an ICE candidate's `mid` (RFC 8843: a token chosen by the browser; they use one or two digits). */
export const MAX_MID_CHARACTERS = 64;

/** Milliseconds between two `swarm` messages of one swarm, at least; and for each member one more, so that a swarm of any size costs at most 1,000 messages a second. */
export const SWARM_NEWS_INTERVAL_MS = 1000;
export const SWARM_NEWS_PER_MEMBER_MS = 1;

/**
 * Up to this size of swarm, site or number of sites each change is told; above it, one by a quarter. Peers compare sizes with a dozen neighbours, and take
 * their logarithm for suppression timers, where a quarter is 2 to 5 % of a wait; told to all of 10,000, each join would cost more than the join.
 */
export const SWARM_NEWS_EXACT_SIZE = 30;
export const SWARM_NEWS_TOLERANCE = 0.25;

/** Milliseconds after the first change before it is told: what changes together (a peer leaves three swarms, a class joins) is told together. */
export const SWARM_NEWS_DELAY_MS = 20;

/** Random draws for outside neighbours before the sites are searched one by one: enough unless one's own site is nearly the whole swarm. */
export const MAX_OUTSIDE_DRAWS = 96;

/** Milliseconds that responses under way have when the server closes; then their connections are cut. Twice that is the promise of 2 s. */
export const CLOSE_GRACE_MS = 1000;

/** Members in line behind the keeper that are named: if two vanish together there is still somebody who knows that it is its turn. */
export const NEXT_IN_LINE = 2;

/** Milliseconds that a client has to make itself known (TLS handshake, then the headers of a request), that a request may take to come in whole (the longest are polls' bodies of 64 KiB), and between two looks at them. Node's own, 60 s, 300 s and 30 s, are for uploads. */
export const HEADERS_TIMEOUT_MS = 10_000;
export const REQUEST_TIMEOUT_MS = 30_000;
export const HEADERS_CHECK_MS = 5000;

/**
 * Milliseconds in which a client takes nothing of an answer, and says nothing, until it is cut off: a download that somebody pauses goes on by a range.
 * Linux calls a socket writable again when a third of its buffer, at most 4 MiB, is free: two minutes are enough for 100 kbit/s.
 */
export const HTTP_SILENCE_MS = 120_000;

/** Claims remembered for each site of a swarm: eight of each of a dozen viewers, most of whom claim the same. Past it the oldest is forgotten, which costs at most a second crossing. */
export const MAX_CLAIMS_PER_SITE = 100;

/** Manifests and playlists are compressed from this size on, bytes: below, they fill hardly more than a packet either way. */
export const COMPRESS_FROM_BYTES = 1024;

/** What is kept compressed of manifests and playlists, counted as it was before, bytes. */
export const MAX_COMPRESSED_BYTES = 32 * 1024 * 1024;

/** Milliseconds between two signs of life of a server in Redis: a few bytes each. */
export const NODE_BEAT_MS = 1000;

/** Milliseconds without one after which a server counts as dead and its peers leave the directory. Five are missed only by one that stands still; its peers are back at another by then. */
export const NODE_DEAD_MS = 5000;

/** Characters of signals for another server that go as one message, but for the last of them. Redis cuts off who is behind by 8 to 32 MiB. */
export const MAX_BATCH_CHARACTERS = 256 * 1024;

/** Seconds for which Redis remembers the peers of a token's subject after the last of them came: tokens that are valid for longer are rare, and then a few peers too many the least of evils. */
export const SUBJECT_SECONDS = 86_400;

/** Peers of a dead server that leave the directory in one step: Redis does nothing else meanwhile, for about 10 ms. */
export const SWEEP_PEERS = 200;

/** Milliseconds that Redis has to answer; a join waits for it. Past it we go on with what this server knows. */
export const REDIS_ANSWER_MS = 500;

/** Longest pause between two attempts to reach Redis, milliseconds: so long after it is back everything is, at most. */
export const REDIS_RECONNECT_MAX_MS = 2000;

/** Commands that wait for Redis, at most: a second's worth of joins of a busy server. More are answered from what this server knows. */
export const REDIS_QUEUE_MAX = 20_000;

/** Peers, or places of subjects, that are told to Redis anew at a time, after it was away. */
export const HEAL_BATCH = 200;

/** Peers of other servers of which we remember the server: those that the peers of a full server were told of. 100 bytes each. */
export const MAX_FOREIGN_PEERS = 200_000;

/** Bits of an IPv6 address that make a site: providers give a household or a school a /56 (RFC 6177). A campus with a /48 has `--site-ipv6-prefix 48`. */
export const SITE_IPV6_PREFIX = 56;

/** Bytes of a `--sites` file: 30,000 blocks, read in a tenth of a second. */
export const MAX_SITES_BYTES = 1024 * 1024;

/** Characters in the name of a site. It is in the key of each of its peers. */
export const MAX_SITE_NAME_CHARACTERS = 100;

/** Proxies in a row whose `X-Forwarded-For` is followed, whatever is trusted: a CDN, a load balancer and an ingress are three. */
export const MAX_PROXIES = 10;

/** Milliseconds between two looks at a file that is reread when it changes: one `stat`. Who rotates a secret has old and new valid for longer. */
export const FILE_CHECK_MS = 2000;

/**
 * Seconds for which TURN credentials may be used. An hour: who copies them from a page has a relay for that long, and a page that stays open asks anew
 * once in half an hour. The draft's day is for clients that can't ask anew. Connections that are open by then stay so: coturn looks at the time when one begins.
 */
export const TURN_TTL_SECONDS = 3600;

/** From a connection's attempts (some 30 s with one that is offered again) to the draft's day, seconds. */
export const MIN_TURN_TTL_SECONDS = 60;
export const MAX_TURN_TTL_SECONDS = 86_400;

/** Characters of a TURN secret: 16 random ones can't be found by trying. */
export const MIN_TURN_SECRET_CHARACTERS = 16;

/** Bytes of a file with a secret. */
export const MAX_SECRET_BYTES = 4096;

/** Bytes of a file with public keys: hundreds of them. */
export const MAX_KEY_SET_BYTES = 1024 * 1024;

/** Milliseconds over which all are asked to join again when the mesh is switched off or on, for each of them and at most: 10,000 peers are then 330 joins a second, a few percent of a core. */
export const RENEW_PEER_MS = 3;
export const RENEW_SPREAD_MS = 30_000;

/** Seconds in which SIGTERM sends viewers away, unless the flag says otherwise: half of what `docker stop` waits before it kills. A node with 10,000 peers wants 30. */
export const DRAIN_SECONDS = 5;
