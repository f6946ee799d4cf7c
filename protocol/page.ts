/**
 * Page ↔ engine. The engine is a dedicated worker of the tab that leads, or runs on its main thread; both take the same messages. Other tabs of the
 * browser use it over a port each (`FromTab`, `ToTab`). A service worker, and whoever else is given a port, speaks the asset half
 * (`AssetQuestion`, `AssetAnswer`) over it.
 */
import type { P2PErrorCode } from './error.ts';
import type { AssetName, Digest, PeerId, SwarmId } from './ids.ts';
import type { IceServer, NoMesh, Signal } from './signaling.ts';

/** What the page decides about the mesh. Times in ms, rates in bits per second, URLs absolute. */
export interface EngineOptions {
  readonly webOrigin: string;
  /** The swarm of the page's static assets: its web origin. */
  readonly home: SwarmId;
  /** Where the signaling server listens. */
  readonly signal: string;
  /** URL of the manifest; null: there is none. */
  readonly manifest: string | null;
  /** Does this peer hand out what it has? */
  readonly upload: boolean;
  /** Upload cap in bits per second; null: none. */
  readonly maxUpload: number | null;
  /** Cap on the assets on the disk, bytes; 0: none are kept there; null: as much as is usual. */
  readonly maxStorage: number | null;
  /** False where the page has no WebRTC, or no consent yet: everything comes from the origin until a `share` message. */
  readonly share: boolean;
  /** May images, films and sound without a digest be shared, by their URLs? Nobody can check them then. */
  readonly sharesUnverified: boolean;
  /** Are connections made through TURN servers alone, so that no peer sees this one's address? */
  readonly relayOnly: boolean;
  /** What the page lets be shared; null: all of it. */
  readonly patterns: SharePatterns | null;
  /** From 0 to LOTS - 1, the same at each visit of this browser: decides whether it is held out, where the server holds some out. */
  readonly lot: number;
  /** Which `debug` namespaces are on, as in `localStorage.debug`. */
  readonly debug: string;
}

/** Tabs share an engine only where they speak of it alike: another number once `FromTab` or `ToTab` mean something else. */
export const TABS_VERSION = 1;

/** What a tab that begins to lead knows of the one before it. */
export interface Lead {
  /** Each leader's is higher than the one before; the server turns a lower one away. */
  readonly epoch: number;
  /** The secret by which the server gives the same peer id again; null: there is none. */
  readonly resume: string | null;
}

/** Patterns of URLs, as the URL Pattern Standard has them. */
export interface SharePatterns {
  /** Only what matches one of these may be shared; null: whatever is not excluded. */
  readonly share: readonly string[] | null;
  /** What matches one of these may not. */
  readonly exclude: readonly string[];
  /** Absolute URL that the patterns are relative to. */
  readonly base: string;
}

/** Where the bytes of an answer came from. `mixed`: some blocks from neighbours, some from the origin. */
export type AssetSource = 'store' | 'peers' | 'origin' | 'mixed';

/** Who holds an asset: this peer, a neighbour, nobody yet but it is on its way to the site, or nobody we know. */
export type Held = 'store' | 'neighbour' | 'coming' | 'nobody';

/** An asset that a player will ask for. */
export interface Expected {
  /** Absolute. */
  readonly url: string;
  readonly name: AssetName;
  /** Bytes `[start, end)` of the URL that are the asset. Default: all of it. */
  readonly range?: ByteRange;
  /** Milliseconds until it is needed. */
  readonly within: number;
}

/** Bytes `[start, end)`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** The first bytes of an asset, and its block hashes, by which they can be checked again. */
export interface Begun {
  readonly bytes: readonly ArrayBuffer[];
  readonly leaves: ArrayBuffer;
}

/** What assets without a digest may be shared for: nothing that runs, or decides what else is loaded. The `Request.destination` of the Fetch Standard. */
export type UnverifiedUse = 'image' | 'audio' | 'video' | 'track';

/** An answer of the origin with status 200, or a 206 of all of it, that its headers allow to share. */
export interface BroughtAnswer {
  readonly body: ArrayBuffer;
  readonly contentType: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

export type AssetQuestion =
  | {
      readonly type: 'load';
      /** Chosen by who asks; the answer repeats it. */
      readonly id: number;
      readonly url: string;
      /** Digest and size, where a playlist's tag or `integrity` tells them; else the manifest is asked. */
      readonly name: AssetName | null;
      /** Swarm to look in and to announce to; null: the web origin's static assets. */
      readonly swarm: SwarmId | null;
      /** Milliseconds until the bytes are needed; null: not known. */
      readonly deadline: number | null;
      /** Milliseconds that the request has waited already before it reached the engine. */
      readonly age: number;
      /** What to do with an asset that has no digest: `pass` answers at once, so that the asker fetches it as it would have. */
      readonly unlisted: 'fetch' | 'pass';
      /** What it is for, where that is one of the uses for which it may be shared without a digest. */
      readonly use?: UnverifiedUse | undefined;
      /** Part of the URL; null: all of it. With a name that part is the asset; without one the request goes to the origin as it is. */
      readonly range: ByteRange | null;
      /** Are the bytes wanted while they come? `spare`: only for the engine that is asked if this one goes. Default: false. */
      readonly streamed?: boolean | 'spare';
      /** What an engine that is gone gave of it. Default: nothing. */
      readonly begun?: Begun;
    }
  /** A piece of an asset that the manifest lists, given in order while it comes. */
  | {
      readonly type: 'read';
      readonly id: number;
      readonly url: string;
      /** As the asker knows it; if the manifest says otherwise by now, the answer is `pass`. */
      readonly name: AssetName;
      /** The part of the URL that is the asset; null: all of it. */
      readonly range: ByteRange | null;
      /** Bytes `[from, to)` of the asset. */
      readonly from: number;
      readonly to: number;
      readonly age: number;
      /** Bytes that may be given before a `pull`. */
      readonly pull: number;
    }
  /** What the asker brought itself, for a `pass` told it to. `private`: it is not for others; null: it did not come. */
  | {
      readonly type: 'brought';
      readonly url: string;
      readonly answer: BroughtAnswer | 'private' | null;
    }
  /** The asker gave so many bytes of these assets from the store itself. */
  | { readonly type: 'served'; readonly digests: readonly Digest[]; readonly bytes: number }
  /** So many bytes more may be given. */
  | { readonly type: 'pull'; readonly id: number; readonly bytes: number }
  | { readonly type: 'abort'; readonly id: number };

export type AssetAnswer =
  /** The next bytes of what is read. */
  | {
      readonly type: 'chunk';
      readonly id: number;
      readonly bytes: ArrayBuffer;
      /** Are these and all before them the asset's? Else they are the origin's, whatever it has: then nothing but this reading may continue them. */
      readonly checked: boolean;
    }
  | {
      readonly type: 'progress';
      readonly id: number;
      readonly loaded: number;
      readonly total: number;
      /** Checked bytes that follow those of the progress before, if the question wants them; beside the first of them the asset's block hashes. */
      readonly chunk?: ArrayBuffer | undefined;
      readonly leaves?: ArrayBuffer | undefined;
    }
  | {
      readonly type: 'loaded';
      readonly id: number;
      /** The asker's own copy. */
      readonly body: ArrayBuffer;
      readonly contentType: string;
      readonly source: AssetSource;
      /** Where it is known: other bytes have another one. */
      readonly digest?: Digest | undefined;
      /** Is it in the store, checked, and offered to neighbours? */
      readonly shared: boolean;
      /** Where it is not: do status and headers allow it? Default: false. */
      readonly shareable?: boolean;
      /** The URL after redirects. */
      readonly url: string;
    }
  /** @see unlisted. `brings`: it is the asker's turn to ask the origin for all of it, without cookies, and tell what came in `brought`. */
  | { readonly type: 'pass'; readonly id: number; readonly brings?: boolean }
  | {
      readonly type: 'failed';
      readonly id: number;
      readonly code: P2PErrorCode;
      readonly message: string;
      readonly status: number;
    };

/** A file that the manifest lists: one asset, or parts of 16 MiB that are one each. */
export interface ShareableFile {
  /** Absolute, without fragment. */
  readonly url: string;
  /** Bytes. */
  readonly size: number;
  /** Media type. */
  readonly type: string;
  readonly parts: readonly Digest[];
}

/** What a service worker may ask for. Sent on each port when the manifest is known. */
export interface Shareable {
  readonly type: 'shareable';
  readonly files: readonly ShareableFile[];
}

/** What a port gets from the engine. */
export type PortMessage = AssetAnswer | Shareable;

/** What a player saw since it told last, for the server's operator. Milliseconds. */
export interface Played {
  /** From the beginning of a source to its first frame. */
  readonly firstFrame?: number;
  /** Stalls that began. */
  readonly stalls?: number;
  /** How long those took that ended. */
  readonly stalled?: number;
}

/** What each tab that uses the engine may say. */
export type FromTab =
  | AssetQuestion
  | { readonly type: 'join'; readonly swarm: SwarmId }
  /** What lets the page in where the signaling server asks for tokens; null: nothing. Of several tabs' the last one's counts. */
  | { readonly type: 'token'; readonly token: string | null }
  /** The page had this from the origin itself. If the manifest lists it, and it is what the manifest says, it is handed out. */
  | {
      readonly type: 'keep';
      readonly url: string;
      readonly swarm: SwarmId | null;
      readonly body: ArrayBuffer;
      readonly contentType: string;
      /** Do status and headers allow sharing? */
      readonly shareable: boolean;
      /** It came without a digest, by this engine or one before, and has this one, as the page knows by now. Default: the manifest is asked. */
      readonly name?: AssetName;
    }
  | {
      readonly type: 'held';
      readonly id: number;
      readonly digests: readonly Digest[];
      /** Is the answer to wait until all that is here is kept for the next visit, too? Default: false. */
      readonly settled?: boolean;
    }
  /** What does the manifest say of these URLs? Answered by `files`, as soon as it is there. */
  | { readonly type: 'files'; readonly id: number; readonly urls: readonly string[] }
  /** All that is kept on this device is to be thrown away; answered by `held`. */
  | { readonly type: 'clear'; readonly id: number }
  /** What a player will ask for next, soonest first. Replaces what the same player said before; an empty list ends it. */
  | {
      readonly type: 'window';
      readonly player: number;
      readonly swarm: SwarmId | null;
      readonly assets: readonly Expected[];
    }
  /** URLs that the page has loaded without us: what the manifest lists of them is brought, so that it is here at the next visit. */
  | { readonly type: 'seen'; readonly urls: readonly string[] }
  | ({ readonly type: 'played' } & Played)
  /** Gives another asker (a service worker) a way in. */
  | { readonly type: 'port'; readonly port: MessagePort };

/** What the page says whose engine it is. */
export type FromPage =
  | { readonly type: 'start'; readonly options: EngineOptions }
  | FromTab
  /** Another tab wants to use the engine, over this port. It is gone when it holds the Web Lock of this name no more. */
  | { readonly type: 'tab'; readonly port: MessagePort; readonly lock: string }
  /** A data channel, transferred in the task that made it; its handlers are set in the task that receives this. */
  | { readonly type: 'channel'; readonly connection: number; readonly peer: PeerId; readonly channel: RTCDataChannel }
  | {
      readonly type: 'connection';
      readonly connection: number;
      readonly state: 'connected';
      readonly maxMessageSize: number;
    }
  | { readonly type: 'connection'; readonly connection: number; readonly state: 'closed' }
  | { readonly type: 'signal'; readonly peer: PeerId; readonly signal: Signal }
  /** Join the mesh now; null: for this tab alone. */
  | { readonly type: 'share'; readonly lead: Lead | null }
  /** Leave the mesh, and the other tabs. */
  | { readonly type: 'leave' }
  /** The same, and bring nothing for this tab any more. */
  | { readonly type: 'end' };

/** What each tab that uses the engine hears. */
export type ToTab =
  | AssetAnswer
  /** A service worker is giving an answer: it is to hear from the page. */
  | { readonly type: 'stay-awake' }
  | { readonly type: 'held'; readonly id: number; readonly held: readonly Held[] }
  /** Those of the URLs that are listed. */
  | { readonly type: 'files'; readonly id: number; readonly files: readonly ShareableFile[] }
  | { readonly type: 'stats'; readonly stats: TabStats }
  | { readonly type: 'peer'; readonly peer: PeerId; readonly state: 'connected' | 'gone' | 'banned' }
  | {
      readonly type: 'warning';
      readonly code: P2PErrorCode;
      readonly message: string;
      readonly details: Readonly<Record<string, unknown>>;
    };

/** What other tabs hear twice a second: the engine is there. With the secret for whoever leads next. */
export interface Alive {
  readonly type: 'alive';
  readonly resume: string | null;
}

/** What the page hears whose engine it is. */
export type FromEngine =
  /** The first message of an engine. `takesChannels` tells whether data channels can be transferred to where it runs. */
  | { readonly type: 'ready'; readonly takesChannels: boolean }
  | ToTab
  | {
      readonly type: 'dial';
      readonly connection: number;
      readonly peer: PeerId;
      readonly iceServers: readonly IceServer[];
    }
  | {
      readonly type: 'remote-signal';
      readonly peer: PeerId;
      readonly signal: Signal;
      readonly iceServers: readonly IceServer[];
    }
  | { readonly type: 'hang-up'; readonly connection: number };

/** What came from where, and what was handed out. */
export interface ByteCounts {
  readonly origin: number;
  readonly peers: number;
  readonly store: number;
  readonly uploaded: number;
}

/** Counters of one engine; bytes since it started. */
export interface EngineStats {
  /** Open connections. */
  readonly peers: number;
  readonly bytes: ByteCounts;
  readonly banned: number;
  /** Is the signaling server there? */
  readonly signaling: 'off' | 'connecting' | 'joined' | 'unreachable';
  /** Did the last request to the origin get an answer? True until one failed. */
  readonly originReachable: boolean;
  /** Bits per second that the site's line carries once, as measured by whoever crosses; null: not known yet. */
  readonly lineRate: number | null;
  /** Why there is no neighbour; null: there are some. */
  readonly noMesh: NoMesh | null;
  /** This peer's id, once the server gave it one. */
  readonly peer: PeerId | null;
}

/** Counters as one tab sees them. */
export interface TabStats extends EngineStats {
  /** What this tab used itself, and what the peer handed out, since the tab has used this engine. */
  readonly bytes: ByteCounts;
  /** Of the peer: what all tabs used, and what was brought for others, since its engine started. */
  readonly total: ByteCounts;
  /** Tabs that use the engine. */
  readonly tabs: number;
}
