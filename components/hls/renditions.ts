/**
 * The renditions of one stream: what they hold next, who has it, and which one to take. Owned by HlsPlayer, asked by our ABR controller before
 * each segment.
 */
import type { default as Hls, Level, LevelDetails } from 'hls.js';
import type { MeshFace } from '../../mesh/index.ts';
import type { Digest } from '../../protocol/ids.ts';
import type { Held } from '../../protocol/page.ts';
import type { HlsModule } from './build.ts';
import { chooseRendition, NOTHING_REMEMBERED, turnOf, type RenditionView } from './choose-rendition.ts';
import type { Upcoming } from './expected-assets.ts';
import { HeldSegments } from './held-segments.ts';
import { HELD_AHEAD_SEGMENTS } from './limits.ts';
import type { PlaylistCache } from './playlist-cache.ts';
import { bufferedUntil, segmentsAfter, segmentsOf, upcomingOf, type Segment } from './segments.ts';
import { notePlayer, streamsAtOnce } from './streams-at-once.ts';

export interface RenditionsOptions {
  readonly mesh: MeshFace;
  readonly media: HTMLMediaElement;
  readonly swarm: string | null;
  readonly playlists: PlaylistCache;
  /** Is the choice ours, also while the origin is there? */
  readonly choosing: boolean;
  /** The origin is there again. */
  readonly onOriginBack: () => void;
  readonly signal: AbortSignal;
}

export class Renditions {
  readonly #options: RenditionsOptions;
  readonly #held: HeldSegments;
  /** Media playlists that hls.js has not loaded itself, by URL. */
  readonly #ahead = new Map<string, LevelDetails>();
  #hls: Hls | null = null;
  #memory = NOTHING_REMEMBERED;
  /** The rendition to go on with when what the site has of this one ends. */
  #then: Level | undefined;
  /** Has hls.js got a segment of the picture? Before, `loadLevel` is no more than its plan. */
  #begun = false;
  #originWasGone = false;

  constructor(options: RenditionsOptions) {
    this.#options = options;
    const { mesh, signal } = options;
    notePlayer(mesh, options, signal);
    this.#held = new HeldSegments(mesh, () => this.#digestsThatMatter(), signal);
    mesh.addEventListener('stats', () => this.#watchOrigin(), { signal });
  }

  attach(hls: Hls, { Events, PlaylistLevelType }: HlsModule): void {
    this.#hls = hls;
    hls.on(Events.MANIFEST_LOADING, () => {
      this.#begun = false;
      this.#memory = NOTHING_REMEMBERED;
      this.#then = undefined;
    });
    hls.on(Events.FRAG_LOADED, (_event, { frag }) => {
      if (frag.type === PlaylistLevelType.MAIN && frag.sn !== 'initSegment') this.#begun = true;
    });
  }

  /** Is the choice still a guess, that the first segment will settle? */
  get isOpen(): boolean {
    const hls = this.#hls;
    return this.#options.choosing && !this.#begun && hls !== null && hls.autoLevelEnabled && hls.levels.length > 1;
  }

  /** Asks anew who holds what. */
  refresh(): void {
    this.#held.refresh();
  }

  detailsOf(level: Level | undefined): LevelDetails | null {
    return level?.details ?? (level && this.#ahead.get(level.uri)) ?? null;
  }

  /** Of a VOD all renditions are known from the start: who holds what of them matters to the choice. */
  readAhead(module: HlsModule, details: LevelDetails | null): void {
    if (!details || details.live) return;
    for (const level of this.#hls?.levels ?? []) {
      if (!level.details) void this.readPlaylist(module, level);
    }
  }

  async readPlaylist(
    { M3U8Parser, PlaylistLevelType }: HlsModule,
    level: Level | undefined,
  ): Promise<LevelDetails | null> {
    if (!level) return null;
    const read = this.#ahead.get(level.uri);
    if (read) return read;
    const { playlists, swarm, signal } = this.#options;
    try {
      const { text, url } = await playlists.load(level.uri, swarm, signal);
      const details = M3U8Parser.parseLevelPlaylist(text, url, 0, PlaylistLevelType.MAIN, 0, null);
      this.#ahead.set(level.uri, details);
      return details;
    } catch {
      return null; // hls.js asks for it when it needs it, and reports
    }
  }

  /** Whoever asks has hls.js's own answer. */
  choose(suggested: number): number {
    const hls = this.#hls;
    const { mesh, media, choosing } = this.#options;
    const { originReachable, lineRate, peers } = mesh.stats;
    if (!hls || (originReachable && (!choosing || hls.levels.length < 2))) return suggested;
    const current = this.#begun && hls.loadLevel >= 0 ? hls.loadLevel : null;
    const { rendition, then, memory } = chooseRendition(
      {
        renditions: hls.levels.map((level) => this.#view(level, hls.levels[current ?? suggested])),
        suggested,
        current,
        originReachable,
        inCompany: peers > 0,
        lineRate: lineRate === null ? null : lineRate / streamsAtOnce(mesh, this.#options),
        estimate: hls.bandwidthEstimate,
        ahead: bufferedUntil(media.buffered, media.currentTime) - media.currentTime,
        floor: hls.minAutoLevel,
        cap: hls.maxAutoLevel,
        now: performance.now(),
      },
      this.#memory,
    );
    this.#memory = memory;
    this.#then = hls.levels[then];
    return rendition;
  }

  /** What is to come of the picture between two positions, seconds. */
  upcoming(from: number, until: number): Upcoming[] {
    const level = this.#hls?.levels[this.#hls.loadLevel];
    const now = this.detailsOf(level);
    const turns = this.#hls?.autoLevelEnabled === true && level !== this.#then;
    const then = turns ? this.detailsOf(this.#then) : null;
    const turn = then ? this.#turn(level, this.#then) : until;
    return [
      ...(now ? upcomingOf(segmentsOf(now), from, Math.min(turn, until)) : []),
      ...(then && turn < until ? upcomingOf(segmentsOf(then), Math.max(from, turn), until) : []),
    ];
  }

  /** Where another rendition follows, seconds; Infinity: not yet. */
  #turn(level: Level | undefined, then: Level | undefined): number {
    return this.#nextSegments(level)[turnOf(this.#heldNext(level), this.#heldNext(then))]?.start ?? Infinity;
  }

  /** As hls.js, not to one of other codecs, and not to one that just failed. */
  #view(level: Level, beside: Level | undefined): RenditionView {
    return {
      bitrate: level.averageBitrate,
      held: this.#heldNext(level),
      usable:
        level.codecSet === beside?.codecSet &&
        level.videoRange === beside.videoRange &&
        level.fragmentError + level.loadError === 0,
    };
  }

  #heldNext(level: Level | undefined): readonly Held[] {
    return this.#nextSegments(level).map(({ digest }) => this.#held.of(digest));
  }

  #nextSegments(level: Level | undefined): readonly Segment[] {
    const details = this.detailsOf(level);
    const { buffered, currentTime } = this.#options.media;
    return details ? segmentsAfter(segmentsOf(details), bufferedUntil(buffered, currentTime), HELD_AHEAD_SEGMENTS) : [];
  }

  /** None while the choice is hls.js's alone, there is none, or nobody else plays. */
  #digestsThatMatter(): readonly Digest[] {
    const { mesh, choosing } = this.#options;
    const levels = this.#hls?.levels ?? [];
    const matters = !mesh.stats.originReachable || (choosing && levels.length > 1 && mesh.stats.peers > 0);
    return matters ? levels.flatMap((level) => this.#nextSegments(level).flatMap(({ digest }) => digest ?? [])) : [];
  }

  #watchOrigin(): void {
    const gone = !this.#options.mesh.stats.originReachable;
    const back = this.#originWasGone && !gone;
    this.#originWasGone = gone;
    if (!back) return;
    // What failed while the origin was gone says nothing about a rendition: hls.js would never climb back to it.
    for (const level of this.#hls?.levels ?? []) level.fragmentError = level.loadError = 0;
    this.#options.onOriginBack();
  }
}
