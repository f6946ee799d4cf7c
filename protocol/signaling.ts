/**
 * Client ↔ server, as socket.io events under the path `/p2p/signal`.
 *
 * - client → server, each with an acknowledgement: `join` (JoinRequest → JoinReply | Refusal), `signal` (SignalRequest → Done | Refusal),
 *   `claim` (ClaimRequest → ClaimReply | Refusal), `leave` (LeaveRequest → Done | Refusal), `report` (ReportRequest → Done | Refusal),
 *   `beacon` (Beacon → Done | Refusal, see beacon.ts)
 * - server → client: `signal` (RelayedSignal), `swarm` (SwarmState, when keeper or sizes change)
 */
import type { Digest, PeerId, SwarmId } from './ids.ts';

/** socket.io's `path` option. */
export const SIGNALING_PATH = '/p2p/signal';

export interface JoinRequest {
  readonly version: number;
  /** All swarms the peer wants to be in; joining again with others adds them. */
  readonly swarms: readonly SwarmId[];
  /** The secret of an earlier JoinReply: gives the same peer id again, also after a restart of the server. */
  readonly resume?: string | undefined;
  /** Of the tab that speaks for the browser: where two have the same peer id the higher one counts. Default: 0. */
  readonly epoch?: number;
  /** What lets the peer in where the server asks for tokens: a JSON Web Token (RFC 7519). Of several joins the last one's counts. */
  readonly token?: string | undefined;
  /** From 0 to LOTS - 1, drawn once for each browser: decides whether it is held out. Default: its peer id decides. */
  readonly lot?: number;
}

/** Why a server lets a client take part in no swarm: `holdout`, to compare those with the mesh with some without it; `switched-off`, for everybody. */
export type MeshOff = 'holdout' | 'switched-off';

/** Why a client has no neighbour. */
export type NoMesh =
  /** The page does not share (yet): no consent, no WebRTC, or it has left. */
  | 'not-sharing'
  /** The server has not answered yet. */
  | 'joining'
  /** The server can't be reached, or lets nobody in. */
  | 'unreachable'
  /** The server says so. */
  | MeshOff
  /** Nobody else is in our swarms. */
  | 'alone'
  /** Others are, but no connection to any of them is open. */
  | 'unconnected';

export interface JoinReply extends IceGrant {
  readonly ok: true;
  readonly peer: PeerId;
  /** 32 hex digits; the peer id is a hash of it, so that only its owner can come back under that id. */
  readonly resume: string;
  readonly swarms: readonly SwarmView[];
  /** There is no mesh for this client now: `swarms` is empty, and if it was in some it is not any more. It loads all from the origin, and may ask again later. */
  readonly off?: MeshOff;
}

/** What the server says of a swarm whenever it changes. */
export interface SwarmState {
  readonly swarm: SwarmId;
  /** Peers in the swarm, in all. */
  readonly size: number;
  /** Of these, at one's own site, oneself included. */
  readonly siteSize: number;
  /** Sites that have a peer in the swarm. */
  readonly sites: number;
  /** Who does the site's crossings: its oldest live member; and the next two in line. */
  readonly keeper: PeerId;
  readonly next: readonly PeerId[];
}

/** What a newcomer learns of a swarm: its state, and whom to offer a connection. Never names the newcomer itself. */
export interface SwarmView extends SwarmState {
  readonly members: readonly PeerId[];
  readonly others: readonly PeerId[];
}

/** "I would cross this asset now": how the peers of a site settle who brings their first assets, before their channels are open. */
export interface ClaimRequest {
  readonly swarm: SwarmId;
  readonly digest: Digest;
  /** The crosser that an earlier reply named and that we have waited for in vain. */
  readonly instead?: PeerId | undefined;
  /** The asker hands nothing out: it is told who crosses, and counts as nobody who does. Default: false */
  readonly quiet?: boolean | undefined;
}

export interface ClaimReply {
  readonly ok: true;
  /** Who crosses: the first of the site that claimed the asset, which may be the asker. */
  readonly crosser: PeerId;
  /** Milliseconds since it claimed it. */
  readonly since: number;
  /** Milliseconds since the site's oldest member, the asker aside, joined the swarm; null: there is none. */
  readonly companyFor: number | null;
  /** How many who asked before us were told of this crosser. */
  readonly told: number;
}

/** "I banned this peer": it sent wrong bytes, or what can't be read. */
export interface ReportRequest {
  readonly peer: PeerId;
}

export interface LeaveRequest {
  readonly swarms: readonly SwarmId[];
}

/** One step of a WebRTC handshake (RFC 9429). `connection` is chosen by who offers and tells attempts apart. */
export type Signal =
  | { readonly kind: 'offer'; readonly connection: number; readonly sdp: string }
  | { readonly kind: 'answer'; readonly connection: number; readonly sdp: string }
  /** The offer is not taken: there are neighbours enough. */
  | { readonly kind: 'refuse'; readonly connection: number }
  | {
      readonly kind: 'candidate';
      readonly connection: number;
      readonly candidate: string;
      readonly mid: string | null;
      readonly line: number | null;
    };

export interface SignalRequest {
  readonly to: PeerId;
  readonly signal: Signal;
}

export interface RelayedSignal {
  readonly from: PeerId;
  /** Is it at our own site? */
  readonly sameSite: boolean;
  readonly signal: Signal;
}

export interface Done {
  readonly ok: true;
}

export type RefusalCode =
  | 'bad-message'
  | 'wrong-version'
  | 'not-joined'
  | 'unknown-peer'
  | 'too-many-swarms'
  | 'superseded'
  | 'shutting-down'
  /** There is no token, or it opens none of these swarms (any more). */
  | 'unauthorized'
  /** The server, or what it allows one address, site or subject, is full. */
  | 'full'
  /** More messages or bytes than one peer may send in a while. */
  | 'too-fast';

/** The server's no. `message` says what was expected; `retryAfter` is in seconds, absent where trying again is of no use. */
export interface Refusal {
  readonly ok: false;
  readonly code: RefusalCode;
  readonly message: string;
  readonly retryAfter?: number;
}

/** What connections are made with. */
export interface IceGrant {
  readonly iceServers: readonly IceServer[];
  /** Seconds from now on in which the TURN credentials may be used; joining again, with no swarms, gives new ones. Absent: they don't expire. */
  readonly iceTTL?: number;
}

/** RTCIceServer (W3C WebRTC 4.2.4), as plain data. */
export interface IceServer {
  readonly urls: string | readonly string[];
  readonly username?: string;
  readonly credential?: string;
}
