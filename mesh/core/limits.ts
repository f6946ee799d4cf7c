/** The mesh's tuning. Each number has its unit, its reason, and what would change it. */

/** How long a first request waits for a channel after the join reply named site members, ms. Six Chromiums starting together had their first channel 0.2-0.6 s after joining. */
export const CHANNEL_WAIT_MS = 700;

/** From the first answer of a site member to our offer on, how long a channel is waited for, ms, and from there to hear what is held: a LAN opens it in 0.1 s, a busy machine in half a second. */
export const ANSWERED_WAIT_MS = 500;

/** Where so many site members were offered channels and none has answered yet, it is the machine that is busy, and so long after the join reply one is waited for, ms: on two cores with twelve browsers the first channel opens after 0.2 to 1.4 s. */
export const UNANSWERED_MEMBERS = 3;
export const UNANSWERED_WAIT_MS = 2000;

/** How long it waits for a neighbour whose channel is open to tell what it holds, ms. An honest one tells within a round trip; ten of a bad line. */
export const INVENTORY_WAIT_MS = 500;

/** How long a first request waits for the mesh in all, ms: more would be felt as a slow start. But see COMPANY_WAIT_MS. */
export const FIRST_REQUEST_WAIT_MS = 1000;

/** The same where members of its site are on their way to it, ms: what they hold comes sooner from them than a second time over the line. */
export const COMPANY_WAIT_MS = 2500;

/** A neighbour that lets this long pass with no byte of what it was asked for loses its requests, ms. Ten round trips of a bad line; a twelfth of a player's usual buffer. */
export const SILENCE_MS = 500;

/** What is left of it at least where a start has waited long for the channel, ms. */
export const FIRST_SILENCE_MS = 200;

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

/** How often neighbours are looked at, ms, a part of PING_AFTER_MS. Together with GONE_AFTER_MS and STATS_EVERY_MS half a second below the 5 s after which a gone peer must have left `mesh.stats`: a busy machine needs it. */
export const LIVENESS_TICK_MS = 250;

/** A connection attempt that is not open by then is given up, ms. ICE with trickle takes under 3 s where it works at all. */
export const DIAL_TIMEOUT_MS = 10_000;

/** A peer that offers again while its last offer is under way is not heard before this, ms. */
export const REOFFER_AFTER_MS = 1000;

/** Connections that a newcomer to a large swarm offers: half of MAX_NEIGHBOURS, because it will be offered as many. */
export const DIALS_IN_CROWD = 6;

/** Connections and attempts past which offers are refused: a third more than MAX_NEIGHBOURS, so that late-comers find a place. */
export const MAX_CONNECTIONS = 16;

/** The same for who is alone at its site, so that no household uploads for many others: of 200 the busiest gives 2.5 to 3.2 times the median, with 16 2.5 to 3.3 times and 0.1 to 0.9 points of offload less (three seeds). */
export const MAX_CONNECTIONS_ALONE = 13;

/** Of these, outside one's site where others are at it: twice OUTSIDE_NEIGHBOURS, and the other half is the site's. */
export const MAX_OUTSIDE = 8;

/** With fewer connections the server is asked for other names, after so many ms and up to twice that; each time that brings nobody the pause doubles, up to the maximum. */
export const MIN_NEIGHBOURS = 4;
export const MORE_NAMES_AFTER_MS = 2000;
export const MORE_NAMES_AFTER_MAX_MS = 60_000;

/** TURN credentials are asked for anew at half their time, but of no more than a day, seconds: browsers end a timer of more than 2^31 ms at once. */
export const ICE_TTL_MAX_S = 86_400;

/** Pauses before a lost or failed connection is offered again, ms. After the last the peer is left alone until the server names it anew. */
export const REDIAL_AFTER_MS: readonly number[] = [1000, 3000, 9000];

/** A message of content, bytes: half a block with its headers, which shows progress within SILENCE_MS from 0.5 Mbit/s on. Smaller ones cost more, and a third of a window keeps the line busy while another is confirmed. */
export const CONTENT_MESSAGE_BYTES = 32 * 1024 + 32;

/**
 * Content on its way to a neighbour of the site which that has not confirmed, bytes. A channel is a UDP socket, and Linux keeps some 92 packets
 * of 1.2 kB for one whose process waits for a core. What comes beyond that is lost and sent again, and each packet is acknowledged by itself from then on: of six
 * Chromiums on two cores that began together without a window, 15 % of the packets were lost, and 67,000 sent in place of 46,000. With 192 KiB 3 % were.
 */
export const SITE_WINDOW_BYTES = 3 * CONTENT_MESSAGE_BYTES;

/** The same to another site, whose confirmation takes longer, and whose line is slower than any socket: 20 Mbit/s over 100 ms. */
export const OUTSIDE_WINDOW_BYTES = 256 * 1024;

/** So much is confirmed at a time, bytes: in a fast site each part of a block. With 40 KiB first frames came 40 ms later (ten simulated sites of 50 that watch live). */
export const CONFIRM_BYTES = 24 * 1024;

/** Short messages that may wait for a neighbour that does not read, bytes. */
export const MAX_UNREAD_BYTES = 1024 * 1024;

/** `bufferedAmountLowThreshold`, bytes. What waits for it goes to other sites: the next block goes to another neighbour while the last bytes of this one are on their way. */
export const CHANNEL_REFILL_BYTES = 8 * 1024;

/**
 * Blocks go to other sites one after the other, not side by side: so the first neighbour has its block, and hands it on, when side by side all of four would
 * still wait. One that does not take its block in this time, ms, leaves the line to the next: 64 KiB at 1 Mbit/s.
 */
export const OUTSIDE_TURN_MS = 500;

/** Assets of which we know how often each block was picked. More than a mesh has on their way at a time; the oldest is forgotten. */
export const MAX_PICKED = 64;

/** Requests that one neighbour may have open with us; more are refused as busy. */
export const REQUESTS_FROM_NEIGHBOUR = 32;

/** Memory for assets, bytes. A lesson of 5 min at 2 Mbit/s is 75 MB; a tab that takes more is a burden on a phone. */
export const STORE_BYTES = 128 * 1024 * 1024;

/** How long an asset without a name waits for the manifest, ms. */
export const MANIFEST_WAIT_MS = 1000;

/** Bytes of what did not wait for it that are kept until it is there, to be shared then: the pictures of a page. A manifest may take for ever. */
export const MAX_LATE_BYTES = 16 * 1024 * 1024;

/** A manifest that was asked for so recently is not asked for again when another tab comes, ms: several are opened at once, or follow the next leader. */
export const MANIFEST_FRESH_MS = 2000;

/** How often the engine tells other tabs that it is there, ms; they look as often, and take over after TAB_SILENT_TICKS looks at nothing: 1.5 s, for who leads next is to be there within two. */
export const TAB_ALIVE_EVERY_MS = 500;
export const TAB_SILENT_TICKS = 3;

/** Statistics go to the page at most this often, ms. */
export const STATS_EVERY_MS = 200;

/** An asset's progress goes to who asked at most this often, ms: what is played while it comes grows in such steps, and a progress bar is not looked at more often. Each message costs the page's main thread as much as it costs the worker. */
export const PROGRESS_EVERY_MS = 100;

/** Peer ids remembered as banned. Beyond it the oldest is forgotten. */
export const MAX_BANNED = 1000;

/** Pauses before the signaling server is tried again, ms: the first, and the longest. A server that restarts is found within 10 s, by a thousand viewers spread over seconds, for each pause is half to one and a half times as long by chance. */
export const RECONNECT_AFTER_MS = 500;
export const RECONNECT_AFTER_MAX_MS = 4000;

/** Seconds that a server may ask us to stay away, at most; a timer of more than 24 days would end at once. */
export const RETRY_AFTER_MAX_SECONDS = 3600;

/** A connection to the signaling server that does not open in this time is given up, ms. */
export const CONNECT_TIMEOUT_MS = 5000;

/** A signaling server that does not say how often it pings is gone when it was silent for this long, ms. socket.io's default is 45 s. */
export const SERVER_SILENCE_MS = 60_000;

/** The longest silence that a server can ask for, ms: a day. A browser's timer holds 24 days, and fires at once beyond that. */
export const SERVER_SILENCE_MAX_MS = 86_400_000;

/** A question to the signaling server that is not answered in this time counts as refused, ms. */
export const ANSWER_TIMEOUT_MS = 5000;

/** The planner: who crosses the line, and when. */

/** How long the keeper, asked for an asset, may take to say that it fetches it, ms. Ten round trips of a loaded LAN; a viewer does not see it. */
export const HEAR_MS = 300;

/** The same of the time to spare, at most MAX_TIMER_MS: a keeper on a busy machine answers after half a second, and who does not wait for it crosses beside it for HEEDLESS_MS. */
export const HEAR_OF_SPARE = 1 / 4;

/** Each further place in the line waits so much longer, ms: the one before has begun by then and is heard of. */
export const SUCCESSION_STEP_MS = 150;

/** Bounds of a suppression timer, ms. The upper one keeps waits bounded when the buffer is long; the lower one spreads those who are in a hurry far enough to hear each other. */
export const MAX_TIMER_MS = 4000;
export const MIN_TIMER_MS = 600;

/** How long somebody who said that it will cross an asset is believed, ms. Two assets of 1 MB at 4 Mbit/s are before it. */
export const QUEUED_PATIENCE_MS = 4000;

/** After joining a swarm the server is asked who crosses for so long, ms: by then every channel is open, or never will be (DIAL_TIMEOUT_MS). After that the keeper crosses, and with company that is there for longer the server does not know all. */
export const CLAIMS_FOR_MS = 12_000;

/** How long the server's word on who crosses is waited for, ms. */
export const CLAIM_ANSWER_MS = 300;

/** How long the one that the server named may take until we hear of its crossing over a channel, ms. Channels open 0.2-0.6 s after joining, later on a busy machine. */
export const CLAIM_PATIENCE_MS = 2500;

/**
 * Who hears nothing for HEAR_MS of a crosser that the server named connects to it: what only one or two want is not handed on by others. So many do, at most, so that
 * a crosser that waits for other sites is not offered three hundred connections. Of thirty that seek at random three or four do, and in place of 1.26 to 1.36 copies 1.14 to 1.15 cross.
 */
export const MEETINGS_PER_CLAIM = 4;

/** How often the server is asked about one asset. */
export const CLAIM_ROUNDS = 3;

/** Assets that a keeper has waiting for others. */
export const MAX_DUTIES = 64;

/** Peers that joined less than this before us can't hold what we begin with, ms, so nobody waits for their channels. */
export const COMPANY_FRESH_MS = 5000;

/** How long one's first request waits for a channel where only peers of other sites are named, ms. */
export const OUTSIDE_WAIT_MS = 300;

/** How long somebody who has an asset under way may take to its first byte, ms: a line that is full needs it. */
export const FIRST_BYTE_MS = 2000;

/**
 * With so much time, ms, and other sites in the swarm, twice as long: who crosses may be waiting for those, and to cross beside it helps nobody. Not
 * where one site is alone: twelve viewers of one stalled for 0.4 to 0.6 s in four runs of six.
 */
export const FIRST_BYTE_TIME_MS = 8000;

/** After that, pauses up to this many times the pauses so far are borne, ms within bounds. */
export const FOLLOW_PAUSES = 4;
export const FOLLOW_SILENCE_MAX_MS = 2000;

/** Each peer between us and who crosses has its own patience first, ms. */
export const HOP_PATIENCE_MS = 300;

/** Neighbours that one asset under way is handed to at a time. Thirty peers are three hops deep, and no upload is more than four times the download. With 3, and 13 connections everywhere, more sites went to the origin (57 % in place of 42, sites-200x50, 1,000 viewers). */
export const FOLLOWERS_PER_ASSET = 4;

/** Assets under way that one neighbour is handed at a time. With the one it pulls, below the frames that may be half-arrived. */
export const FOLLOWS_FROM_NEIGHBOUR = 6;

/** A neighbour that was busy is asked again after this, ms, and for so long. */
export const BUSY_PAUSE_MS = 200;
export const BUSY_PATIENCE_MS = 4000;

/** Peers between us and who crosses, at most: four followers each reach 65,000, and a neighbour that lies about its place gains little. */
export const MAX_HOPS = 8;

/** From so many sources on that took back what they had under way, which may be nothing to share, several members of a site cross at once: this many times as many with each further one, so that thirty have it after four crossings, and one that lies brings no crowd to the line. */
export const WITHDRAWALS_BEFORE_CROWD = 2;
export const CROWD_GROWTH = 4;

/** A crossing that gives a block less often than this, ms, and would come too late, is taken over by another peer, once: 0.5 Mbit/s carry no video. So many blocks must show it, or a pause of FOLLOW_SILENCE_MAX_MS would. */
export const SLOW_CROSSING_BLOCK_MS = 1000;
export const SLOW_CROSSING_BLOCKS = 2;

/** Who crosses without having the block hashes after this, ms, tells its followers that it will have the asset only when it is whole. */
export const LEAVES_WAIT_MS = 1000;

/** Who says so is believed for this many times what a crossing takes at the line's rate, at most so long, ms; QUEUED_PATIENCE_MS where the rate is not known. */
export const WHOLE_PATIENCE_CROSSINGS = 2;
export const WHOLE_PATIENCE_MAX_MS = 8000;

/** How long an asset is shared by its URL at most, ms, whatever the origin's headers say: a day, for nobody can check it. */
export const MAX_BY_URL_FRESH_MS = 24 * 3600 * 1000;

/** How long who is to bring an asset that is shared by its URL may take before it counts as not coming, ms: 16 MiB at 4 Mbit/s. All others lose patience much sooner. */
export const BRINGING_FOR_MS = 30_000;

/** URLs remembered as not to be shared, names remembered as wrong, and names of one neighbour: 0.5 MB each. */
export const MAX_BY_URL = 2000;

/** Neighbours that are believed so about one asset, the second half as long. */
export const MAX_PROMISES = 2;

/** How often who crosses looks whether a neighbour of the site has the asset by now, ms, if nothing else happens. */
export const RESCUE_LOOK_MS = 1000;

/** Assets that a neighbour may tell us it has under way. */
export const MAX_FETCHING_PER_NEIGHBOUR = 64;

/** Assets that a keeper brings at a time for others. More would only make each slower. */
export const KEEPER_CROSSINGS = 2;

/** One that takes longer than this gives its place to the next, ms, so that an origin that hangs does not end the keeper's work; after twice that it is given up. */
export const DUTY_MS = 8000;

/** A keeper that was asked and did not move is passed over for this long, ms. */
export const HEEDLESS_MS = 10_000;

/** Bytes from which on a crossing tells the line's rate. */
export const LINE_SAMPLE_BYTES = 128 * 1024;

/** The fastest crossing of this time and of the one before it tells what the line carries, ms: somebody crosses alone within it, and a line that has become slower is known as such after half a minute. */
export const LINE_WINDOW_MS = 15_000;

/** Outside sources of one asset that are asked at once; what a source has not sent yet another can. Of 200 households that watch live 73 % is offloaded with 4, 70 with 3 and 73 with 6. */
export const OUTSIDE_SOURCES = 4;

/**
 * The same as MAX_TIMER_MS among sites, ms: the sooner one goes to the origin, the more time others have to hand it on. Of 200 households that watch live 80 % is offloaded with 4 s, 87 with
 * 2 and 88 with 1, with which of 10,000 some twenty would begin before they hear of each other; of ten sites of 50 58, 43 and 48 % are at the origin.
 */
export const AMONG_SITES_MS = 2000;

/** A source of another site chooses among so many of the blocks that are missing at the front: 4 MiB, so that of a long asset what is shown first comes first. */
export const OUTSIDE_CHOICE_BLOCKS = 64;

/** How often it is looked whether an asset still comes in time from outside, ms, if nothing else happens. */
export const OUTSIDE_LOOK_MS = 250;

/** A source of another site that gives nothing for so long has failed, ms: its line may be shared by many. One that is silent for the second loses its blocks to another that has nothing to do, ms. */
export const OUTSIDE_SILENCE_MS = 2000;
export const OUTSIDE_STEAL_MS = 750;

/** Outside sources may take so long to the first block even where others of the site wait too, ms, if there is time to spare. */
export const OUTSIDE_FIRST_BYTE_MS = 1000;

/** After the first block, a pause that others of the site who wait for us to hand it on would bear too, ms: see FOLLOW_PAUSES. */
export const OUTSIDE_LULL_MS = 1000;

/**
 * After the first block so much must pass before sources are given up for their pace, ms, and of the time that may pass such a share. In a hurry, the first blocks of all sources;
 * where others of the site wait too, all of that time: an asset spreads faster and faster, so its first pace tells little. Who is alone goes on until three quarters of the time
 * that there was are gone: of 200 households that watch live (seed 1; AMONG_SITES_MS was 4 s) 82 % is offloaded with 4, 79 with 2, 73 with 1 and 63 with a quarter; of ten sites of 50 that do, 54 to 70 % are at
 * the origin with 1, 2 and 4, but with 2 and 4 viewers wait for 4.5 and 9.4 s in all, with 1 for 0.4.
 */
export const OUTSIDE_RATE_MS = 200;
export const OUTSIDE_RATE_SHARE = { hurry: 1 / 4, company: 1, alone: 4 };

/**
 * Who has no time to spare waits so much longer for other sites than for the origin, ms; and as long as the site's members would need if each
 * took its own copy, but no more than this; a share of it where there is time; never longer than the last. Of 200 households that
 * watch live 80.2 % is offloaded with three quarters, 79.5 with half and 80.6 with nine tenths, with which one stalls: the origin has no time left.
 */
export const OUTSIDE_LATER_MS = 300;
export const OUTSIDE_CROWD_MS = 1200;
export const OUTSIDE_SLACK_SHARE = 0.75;
export const OUTSIDE_PATIENCE_MAX_MS = 12_000;

/** What a line is taken to carry that was not measured yet, bytes per second: 8 Mbit/s. */
export const UNKNOWN_LINE_RATE = 1_000_000;

/** Who reads an asset piece by piece is expected to ask for its next piece within this, ms: until then the transfer goes on. Players of the browser ask within milliseconds, or not before their buffer runs low. */
export const READ_LINGER_MS = 2000;

/** Who was given what it asked for and asks for no more in this time, ms, holds up no transfer and no memory. What it asks for later is taken anew. */
export const UNREAD_FOR_MS = 30_000;

/** Who waits for a piece while others of the same asset come is told so this often, ms: ten times in what a service worker bears in silence. */
export const WAITING_TOLD_MS = 1000;

/** Assets of which a part was checked when nobody wanted them any more, and how long that part is kept, ms. A part of a file is up to 16 MiB. */
export const MAX_UNFINISHED = 4;
export const UNFINISHED_FOR_MS = 30_000;

/** Blocks that come sooner over the request that is under way than by another: 512 KiB are half a second of 8 Mbit/s. */
export const TURN_AFTER_BLOCKS = 8;

/** Assets on the disk, bytes, unless the author says otherwise (`max-storage`): a lesson or two of an hour; and never more than this share of what the browser lets the web origin have, which others of its pages use too. */
export const DISK_BYTES = 2 * 1024 * 1024 * 1024;
export const DISK_SHARE = 1 / 2;

/** The first visit opens the disk so long after its first asset, ms: code and work that nothing on the page waits for. */
export const DISK_OPEN_AFTER_MS = 5000;

/** Later visits wait so long for it, ms; opening takes 10 to 50. */
export const STORE_WAIT_MS = 1000;

/** Times of use are written together so long after the first, ms. */
export const USES_KEPT_AFTER_MS = 5000;

/** Milliseconds until a server that lets us take no part in the mesh is asked again, on average: an operator who switches it on again sees it back within minutes. */
export const OFF_AGAIN_MS = 300_000;

/** Milliseconds from the server's first answer to the first beacon, and between two: a minute is what an operator looks at, and costs a full server 1 % of a core. */
export const FIRST_BEACON_MS = 10_000;
export const BEACON_EVERY_MS = 60_000;
