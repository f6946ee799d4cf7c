/** One run of one scenario, with or without P2P. */
import { MAX_MESSAGE_BYTES } from '../../protocol/limits.ts';
import type { Random } from '../../mesh/core/ports.ts';
import { MemoryOrigin } from '../../test/mesh/world/memory-origin.ts';
import { Network } from '../../test/mesh/world/network.ts';
import { seededRandom } from '../../test/mesh/world/seeded-random.ts';
import { SignalServer } from '../../test/mesh/world/signal-server.ts';
import { WEB_ORIGIN, type Surroundings } from '../../test/mesh/world/surroundings.ts';
import { VirtualClock } from '../../test/mesh/world/virtual-clock.ts';
import { lyingPeer, silentPeer, WIRE_NUMBERS } from './bad-peers.ts';
import { Content } from './content.ts';
import { Places, type Site } from './places.ts';
import { BAD_SHARE, scaleOf, SEGMENT_MS, type Scenario } from './scenario.ts';
import { Tally, type SegmentTally } from './tally.ts';
import { MANIFEST_URL, PLAYLIST_URL, Viewer } from './viewer.ts';

/** What one viewer saw. */
export interface Seen {
  readonly viewer: string;
  /** ms since it came; null: nothing came before the end. */
  readonly firstFrame: number | null;
  /** After the first frame, ms. */
  readonly stalled: number;
  /** In all, ms. */
  readonly waited: number;
}

export interface RunResult {
  readonly seen: readonly Seen[];
  readonly segments: readonly SegmentTally[];
  /** Bytes that players got, and that the origin gave for them. */
  readonly consumed: number;
  readonly fromOrigin: number;
  /** Bytes from the origin, had it given each segment once. */
  readonly possible: number;
  /** Bytes that each viewer handed out. */
  readonly uploads: readonly number[];
  readonly messages: number;
  readonly messagesByType: readonly number[];
  /** Peers times the seconds that they were there. */
  readonly peerSeconds: number;
  readonly banned: number;
  /** How many neighbours each viewer had when half of the stream had been played. */
  readonly neighbours: readonly number[];
  /** Events of the virtual clock. */
  readonly events: number;
}

/** Segments that a live stream has when the first viewer comes; size of a playlist with headers at full scale, bytes. */
const LIVE_SEGMENTS_AT_START = 4;
const PLAYLIST_BYTES = 1500;

/** How long one watches at least between two seeks, ms, and how much longer at most. */
const SEEK_EVERY_MS = 6000;
const SEEK_SPREAD_MS = 12_000;

/** From the answer to an open channel, ms: as six Chromiums that started together on two cores showed. */
const HANDSHAKE_MS = [120, 350] as const;

export class Run {
  readonly #scenario: Scenario;
  readonly #shares: boolean;
  readonly #scale: number;
  readonly #clock = new VirtualClock();
  readonly #content: Content;
  readonly #world: Surroundings;
  readonly #places: Places;
  readonly #tally: Tally;
  readonly #viewers: Viewer[] = [];
  /** One source for each part of the scenario, so that the same happens with P2P and without. */
  readonly #random: (what: string) => Random;
  #expected = 0;
  #neighbours: readonly number[] = [];

  private constructor(scenario: Scenario, content: Content, shares: boolean) {
    const { seed, muted } = scenario;
    const mutedNumbers = new Set(muted.flatMap((type) => (type === 'claim' ? [] : [WIRE_NUMBERS[type]])));
    this.#scenario = scenario;
    this.#content = content;
    this.#shares = shares;
    this.#scale = scaleOf(scenario);
    this.#random = (what) => seededRandom(seed * 7919 + hashOf(what));
    const clock = this.#clock;
    this.#places = new Places(clock, this.#random('places'), this.#scale);
    this.#tally = new Tally(this.#places);
    const network = new Network(clock, null);
    const handshakes = this.#random('handshakes');
    network.line = { ...network.line, maxMessageSize: 8 * MAX_MESSAGE_BYTES };
    network.route = this.#places.between;
    network.handshake = (latency) => 6 * latency + HANDSHAKE_MS[0] + handshakes() * (HANDSHAKE_MS[1] - HANDSHAKE_MS[0]);
    network.takes = (from, to, message) => {
      if (mutedNumbers.has(message[0] ?? 0)) return false;
      this.#tally.message(from, to, message);
      return true;
    };
    const origin = new MemoryOrigin(clock, null);
    origin.latency = 5;
    origin.chunkBytes /= this.#scale;
    origin.route = this.#places.fromOrigin;
    const random = this.#random('engines');
    const server = new SignalServer(clock, random, null);
    server.settlesClaims = !muted.includes('claim');
    this.#world = { clock, random, network, server, origin, say: null };
  }

  /** @param progress hears every simulated second how much of the stream's time has passed, ms */
  static async of(scenario: Scenario, shares: boolean, progress?: (now: number) => void): Promise<RunResult> {
    const { behaviour, duration, blocks, kind } = scenario;
    const isLive = behaviour === 'live';
    const segments = isLive
      ? LIVE_SEGMENTS_AT_START + Math.floor((kind.arrivals + duration) / SEGMENT_MS)
      : Math.ceil(duration / SEGMENT_MS);
    const run = new Run(scenario, await Content.create(segments, blocks), shares);
    return run.#run(progress);
  }

  async #run(progress?: (now: number) => void): Promise<RunResult> {
    const { duration, kind, behaviour } = this.#scenario;
    this.#serve();
    this.#populate();
    // Who comes last has the whole stream's length, and half of it more for its stalls.
    const end = kind.arrivals + duration * (behaviour === 'live' ? 1 : 1.5);
    this.#clock.after(kind.arrivals + duration / 2, () => {
      this.#neighbours = this.#viewers.flatMap(({ stats, leftAt }) =>
        stats && leftAt === Infinity ? [stats.peers] : [],
      );
    });
    const isOver = (): boolean =>
      this.#viewers.length === this.#expected &&
      this.#viewers.every(({ player, leftAt }) => player.isOver || leftAt < Infinity);
    while (this.#clock.now() < end && !isOver()) {
      await this.#clock.advance(Math.min(1000, end - this.#clock.now()));
      progress?.(this.#clock.now());
    }
    return this.#result();
  }

  #serve(): void {
    const { origin } = this.#world;
    for (const { url, body, leaves, name } of this.#content.segments) {
      origin.put(url, body);
      origin.put(`${WEB_ORIGIN}/p2p/leaves/${name.digest}`, leaves);
    }
    origin.put(
      MANIFEST_URL,
      new TextEncoder().encode(JSON.stringify({ version: 1, leaves: 'p2p/leaves/', assets: {} })),
    );
    origin.put(PLAYLIST_URL, new Uint8Array(Math.ceil(PLAYLIST_BYTES / this.#scale)));
  }

  #populate(): void {
    const { kind, behaviour } = this.#scenario;
    const random = this.#random('arrivals');
    const bad = this.#random('bad');
    const site = {
      lineDown: kind.site.lineDown / this.#scale,
      lineUp: kind.site.lineUp / this.#scale,
      lan: kind.site.lan === null ? null : kind.site.lan / this.#scale,
    };
    const sites = Array.from({ length: kind.sites }, (_, i) => this.#places.site(`s${i}`, site));
    const total = kind.sites * kind.viewersPerSite;
    for (let i = 0; i < total; i++) {
      const at = sites[Math.floor(i / kind.viewersPerSite)]!;
      const name = `${i}`;
      const isBad = bad() < BAD_SHARE;
      this.#places.add(name, at, site, isBad && behaviour === 'slow' ? 10 : 1);
      const arrival =
        behaviour === 'staggered' && total > 1 ? (kind.arrivals * i) / (total - 1) : random() * kind.arrivals;
      const isViewer = !isBad || (behaviour !== 'silent' && behaviour !== 'liars');
      if (isViewer) this.#expected++;
      this.#clock.after(arrival, () => {
        if (isViewer) this.#arrive(name, at);
        else if (!this.#shares) return;
        else if (behaviour === 'silent') silentPeer(this.#world, this.#content, name, at.name);
        else void lyingPeer(this.#world, this.#content, name, at.name);
      });
    }
  }

  #arrive(name: string, site: Site): void {
    const { behaviour, duration } = this.#scenario;
    const random = this.#random(`viewer ${name}`);
    const clock = this.#clock;
    const isLive = behaviour === 'live';
    const listed = (): number =>
      isLive
        ? Math.min(this.#content.segments.length, LIVE_SEGMENTS_AT_START + Math.floor(clock.now() / SEGMENT_MS))
        : this.#content.segments.length;
    const viewer = new Viewer(this.#world, this.#content, {
      name,
      site: site.name,
      shares: this.#shares,
      isLive,
      listed,
      random,
    });
    this.#viewers.push(viewer);
    if (behaviour === 'leave' && random() < 0.5) {
      const saysSo = random() < 0.5;
      clock.after(random() * Math.min(60_000, duration), () => viewer.leave(saysSo));
    }
    if (isLive || behaviour === 'seek') clock.after(duration, () => viewer.player.stop());
    if (behaviour === 'seek') this.#seekNowAndThen(viewer, random);
  }

  #seekNowAndThen(viewer: Viewer, random: Random): void {
    this.#clock.after(SEEK_EVERY_MS + random() * SEEK_SPREAD_MS, () => {
      viewer.player.seek(Math.floor(random() * (this.#scenario.duration - SEGMENT_MS)));
      if (!viewer.player.isOver) this.#seekNowAndThen(viewer, random);
    });
  }

  #result(): RunResult {
    const viewers = this.#viewers;
    const now = this.#clock.now();
    const segments = this.#tally.segments(this.#content, this.#world.origin, viewers);
    const size = this.#content.segmentBytes;
    return {
      seen: viewers.map(({ name, player, cameAt, leftAt }) => ({
        viewer: name,
        firstFrame: player.firstFrame,
        stalled: player.stalled,
        waited: player.stalled + (player.firstFrame ?? Math.min(leftAt, now) - cameAt),
      })),
      segments,
      consumed: viewers.reduce((sum, { bytes }) => sum + bytes.peers + bytes.origin + bytes.mixed, 0),
      fromOrigin: segments.reduce((sum, { originCopies }) => sum + originCopies * size, 0),
      possible: segments.length * size,
      uploads: viewers.map(({ stats }) => stats?.bytes.uploaded ?? 0),
      messages: this.#tally.messages,
      messagesByType: this.#tally.byType,
      peerSeconds: viewers.reduce((sum, { cameAt, leftAt }) => sum + (Math.min(leftAt, now) - cameAt) / 1000, 0),
      banned: viewers.reduce((sum, { banned }) => sum + banned, 0),
      neighbours: this.#neighbours,
      events: this.#clock.ran,
    };
  }
}

/** FNV-1a: a seed for each name. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
