/**
 * Whom the server lets in, and how much each may do. Each number has its unit, its reason, and what would change it. Those in
 * `DEFAULT_LIMITS` have flags; the others follow from the protocol or from the machine.
 *
 * The case that decides is the school: thousands of pupils behind one public address, who all come within the same seconds, and again
 * together when the server was restarted. So what one address may have is measured for a whole school, and what one peer may send, which no
 * school changes, is tight.
 */
import { MAX_SIGNALING_BYTES } from '../limits.ts';

export interface AdmissionLimits {
  /** Connections in all, those that have not joined included. */
  readonly connections: number;
  /** Connections of one address (IPv6: of one /56). */
  readonly connectionsPerAddress: number;
  readonly connectionsPerSite: number;
  /** New connections a second of one address, on average over CONNECT_WINDOW_SECONDS. */
  readonly connectsPerAddress: number;
  /** Of one peer, a second, after a burst that is fixed. */
  readonly joins: number;
  readonly signals: number;
  readonly claims: number;
  readonly bytes: number;
  /** Bytes of one message. */
  readonly messageBytes: number;
  /** Seconds that a connection may take to join. */
  readonly joinSeconds: number;
}

export const DEFAULT_LIMITS: AdmissionLimits = {
  /** 50,000 idle peers hold some 0.8 GB, and their pings take half a core. More cores or nodes carry more. */
  connections: 50_000,
  /** Two universities' worth, and less than half of all: no single address can take every place. A carrier's NAT that hides a country needs more. */
  connectionsPerAddress: 20_000,
  /** A site is an address, or several that an operator named as one, or a network of private addresses: a whole campus. */
  connectionsPerSite: 30_000,
  /** 20,000 in 10 s: 10,000 viewers who come back after a restart and, where WebSockets are blocked, come twice. A server without schools can say 20. */
  connectsPerAddress: 2000,
  /** Each swarm of a join counts, a leave once. A page joins once for each of its elements, and asks for more names in all of its swarms every few seconds at most. */
  joins: 4,
  /** A handshake is about ten signals each way; a peer that loses all its 12 neighbours at once is below the burst. */
  signals: 50,
  /** A peer claims the first 32 assets of each of its swarms. */
  claims: 20,
  /** Joins are 1 to 50 KiB, signals 0.2 to 3 KiB; a peer that is busy with 12 handshakes sends 100 KiB, once. */
  bytes: 64 * 1024,
  messageBytes: MAX_SIGNALING_BYTES,
  /** A page joins in its first round trip. Over the slowest line that still plays anything that is 2 s. */
  joinSeconds: 10,
};

/** Seconds over which new connections of an address are counted: the wave after a restart is spread by the clients over about as long. */
export const CONNECT_WINDOW_SECONDS = 10;

/** How much more than `connections` there may be for a moment: they are let in to be told that it is full, for a page can't see why a handshake failed. Beyond that they are refused unheard. */
export const CONNECTIONS_MARGIN = 1.1;

/** What a peer may do at once before its rate counts: all elements of a large page; all handshakes of a full mesh, twice; the first assets of several swarms. */
export const JOIN_BURST = 120;
export const SIGNAL_BURST = 500;
export const CLAIM_BURST = 300;
export const BYTES_BURST = 1024 * 1024;

/** Reports of bad peers: a peer has 12 neighbours at a time, and who bans more than one in half a minute for long is itself what is broken. */
export const REPORT_BURST = 12;
export const REPORTS_PER_SECOND = 1 / 30;

/** Packets of one connection between two looks (2 s), pings' answers included: all the bursts above together, and as much again; more where the rates are set so high that a peer may send more. Who sends more is cut off at once, for even what is thrown away costs the event loop. */
export const MAX_PACKETS_PER_SWEEP = 2000;

/** Milliseconds between two looks at all connections: at 50,000 of them one takes some 20 ms. */
export const SWEEP_MS = 2000;

/** Milliseconds that a refused client has to read why, and that a closed WebSocket has to say goodbye (ws would wait 30 s, and a flood of them is in no other count). */
export const GOODBYE_MS = 2000;

/** Packets that wait for one reader: beyond the first number signals to it are dropped, for a handshake that is late is of no use; beyond the second it is cut off. A reader that keeps up has none or one waiting. */
export const MAX_WAITING_PACKETS = 64;
export const MAX_WAITING_PACKETS_AT_ALL = 256;

/** Bytes that wait in one connection's WebSocket: what was accepted above (64 signals of 8 KiB), and the answers to a flood of pings. */
export const MAX_WAITING_BYTES = 1024 * 1024;

/** Looks in a row at which something waits before a reader is given up: 20 s, twice what a ping gives it. */
export const MAX_STUCK_SWEEPS = 10;

/** Peers that one may send signals to: named in its joins and claims, or heard from. 12 neighbours, and all that were tried before them; the oldest is forgotten. */
export const MAX_INTRODUCED = 256;

/** Characters of a join token. Ours have 200; an identity provider's with many claims 2,000. */
export const MAX_TOKEN_CHARACTERS = 4096;

/** Of a token: patterns of swarms, and `*` in each. Matching costs characters × patterns at most. */
export const MAX_TOKEN_SWARMS = 64;
export const MAX_PATTERN_STARS = 8;
export const MAX_SUBJECT_CHARACTERS = 256;

/** Seconds by which the clocks of who makes tokens and of this server may differ. */
export const TOKEN_CLOCK_TOLERANCE_SECONDS = 5;

/** Bytes of an HS256 secret, at least (RFC 7518, 3.2). */
export const MIN_SECRET_BYTES = 32;

/** Milliseconds that a key set's host has to answer, and that what it said is used without asking again. Unknown key ids make it ask again, at most twice a minute. */
export const JWKS_TIMEOUT_MS = 5000;
export const JWKS_MAX_AGE_MS = 600_000;
export const JWKS_COOLDOWN_MS = 30_000;

/** Seconds after which a client may try again that was refused because something was full: a peer that vanished is noticed within 10. */
export const RETRY_WHEN_FULL_SECONDS = 15;
export const RETRY_WITHOUT_KEYS_SECONDS = 10;

/**
 * Who speaks against a peer before it is put out: so many different peers (with tokens: subjects), of so many sites. Without tokens anybody can be many
 * peers, and one house has two sites where it has IPv4 and IPv6: then each speaks from a site of its own. See docs/decisions/0026.
 */
export const REPORTERS_NEEDED = 3;
export const REPORTING_SITES_NEEDED = 2;
export const REPORTING_SITES_NEEDED_WITHOUT_TOKENS = 3;

/** Bits of an IPv6 address that tell those apart who report: whoever rents a server has a /48 at most (RFC 6177). */
export const REPORTING_IPV6_PREFIX = 48;

/** Milliseconds for which a report counts, and for which a bad peer stays out. Half an hour is most of a lesson; a page that was repaired should be back for the next. */
export const REPORT_VALID_MS = 600_000;
export const BAD_FOR_MS = 1_800_000;

/** Peers with reports against them, and those put out, that are remembered; the oldest is forgotten. With 8 reporters each: 4 MB. */
export const MAX_REPORTED = 4096;
export const MAX_REPORTERS = 8;

/** Milliseconds between two log lines of one reason: each tells how many were refused since the last. */
export const LOG_EVERY_MS = 10_000;
