/**
 * What both ends of a wire must agree on, and what a remote may make us keep.
 * Each number has its unit, its reason, and what would change it.
 */

/** Version of the peer and signaling protocols. Ends that differ do not talk. */
export const PROTOCOL_VERSION = 1;

/** Bytes per block. 64 KiB: 2 s of 2 Mbit/s video are eight blocks, and leaves cost 0.05 % of the asset. Part of every digest: never changes. */
export const BLOCK_BYTES = 64 * 1024;

/** Largest asset, bytes. 64 MiB: a 4 s segment at 100 Mbit/s still fits; its 1,024 leaves are one 32 KiB frame. */
export const MAX_ASSET_BYTES = 64 * 1024 * 1024;

/** Largest part of a file in a manifest, bytes: slices of larger cache entries get slow (Firefox: 150 ms at 40 MB). */
export const MAX_PART_BYTES = 16 * 1024 * 1024;

/** Largest asset that is shared by its URL, bytes: it is handed on only when it is whole. */
export const MAX_BY_URL_BYTES = 16 * 1024 * 1024;

/** Bytes in a digest, a leaf, and any other SHA-256. */
export const HASH_BYTES = 32;

/** Bytes in a peer id, a swarm key and a resume secret: 128 bits can be neither guessed nor met twice by chance. */
export const ID_BYTES = 16;

/** Bytes in front of each data-channel message: type, flags, request id, length, offset. */
export const FRAME_HEADER_BYTES = 16;

/** Largest data-channel message that is sent, bytes: a block with its headers. */
export const MAX_MESSAGE_BYTES = BLOCK_BYTES + 32;

/** Smallest `maxMessageSize` that we work with, bytes. RFC 8841 lets a peer that says nothing receive 64 KiB; 16 KiB is what every browser ever took. */
export const MIN_MESSAGE_BYTES = 16 * 1024;

/** Largest payload of one frame, bytes: a block with its index, or 1,024 leaves with the size. */
export const MAX_FRAME_BYTES = BLOCK_BYTES + 64;

/** Frames of one neighbour that may be half-arrived at a time, so at most 0.5 MiB each. */
export const MAX_OPEN_FRAMES = 8;

/** Digests in one HAVE or LOST frame: 32 KiB. More go in further frames. */
export const MAX_DIGESTS_PER_FRAME = 1024;

/** Names in one NAMED frame: 36 KiB. */
export const MAX_NAMES_PER_FRAME = 512;

/** Digests remembered of one neighbour: a day of 4 s segments; 1.5 MB of memory for each neighbour that lies as much as it can. */
export const MAX_DIGESTS_PER_NEIGHBOUR = 20_000;

/** Assets in one WANT: a minute of 2 s segments, more than any player looks ahead. */
export const MAX_WANTS = 32;

/** First assets of a swarm for which a peer asks the server who crosses, at most: half a minute of 2 s segments with a rendition of their own for sound. */
export const MAX_CLAIMS = 32;

/** Swarms one peer is in at a time: a page's static assets and several videos. */
export const MAX_SWARMS = 16;

/** Characters in a swarm id: a URL without its query. */
export const MAX_SWARM_ID_CHARACTERS = 512;

/** Characters of one SDP or ICE candidate that the server relays. A data-channel-only offer is about 600. */
export const MAX_SDP_CHARACTERS = 8 * 1024;

/** Neighbours of one peer. A full mesh of a small class; past that random graphs of degree 12 stay connected and shallow. */
export const MAX_NEIGHBOURS = 12;

/** Of those, how many of one's own site and how many from outside the server names when both abound. */
export const SITE_NEIGHBOURS = 8;
export const OUTSIDE_NEIGHBOURS = 4;

/** Paths in a manifest. 20,000 entries are 2.5 MB of JSON, more than a page should wait for. */
export const MAX_MANIFEST_ENTRIES = 20_000;

/** A service worker that gives a streamed answer hears from its page so often, ms: browsers end one after 25 to 30 s without an event, and Firefox then takes what it had given for the whole. */
export const AWAKE_EVERY_MS = 10_000;
