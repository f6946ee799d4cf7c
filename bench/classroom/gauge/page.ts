/**
 * The gauge's part in the page: runs before anything else there, finds the <video> (also inside shadow roots) and keeps `window.gauge`.
 * Bundled by viewers.ts.
 */
import { PlaybackGauge, type Range, type Reading } from './playback-gauge.ts';

const SAMPLE_MS = 100;
const MAX_ERRORS = 20;

/** What is read out of the page once a second. */
export interface PageReading extends Reading {
  readonly errors: readonly string[];
  /** What the library says about itself; nothing is computed from it. */
  readonly claims: unknown;
  readonly frames: number;
  readonly dropped: number;
}

declare global {
  interface Window {
    gauge?: {
      /** Notes what went wrong. */
      readonly fail: (message: unknown) => void;
      claims: unknown;
      readonly read: () => PageReading;
    };
  }
}

const gauge = new PlaybackGauge();
const errors: string[] = [];
const roots = new Set<Document | ShadowRoot>([document]);
let video: HTMLVideoElement | undefined;
let nudgedAt = 0;

const now = (): number => performance.now() / 1000;

function fail(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  if (errors.length < MAX_ERRORS) errors.push(`${now().toFixed(1)} s ${message.slice(0, 200)}`);
}

function find(): HTMLVideoElement | undefined {
  const found = [...roots].flatMap((root) => [...root.querySelectorAll('video')]);
  return (
    found.find(({ currentTime }) => currentTime > 0) ?? found.find(({ currentSrc }) => currentSrc !== '') ?? found[0]
  );
}

function adopt(found: HTMLVideoElement): void {
  video = found;
  found.requestVideoFrameCallback(() => gauge.firstFrame(now()));
  found.addEventListener('error', () => fail(`media error ${found.error?.code ?? ''}: ${found.error?.message ?? ''}`));
}

const rangesOf = (ranges: TimeRanges): Range[] =>
  Array.from({ length: ranges.length }, (_, index): Range => [ranges.start(index), ranges.end(index)]);

function sample(): void {
  if (video?.isConnected !== true) {
    const found = find();
    if (found === undefined) return;
    adopt(found);
  }
  if (video === undefined) return;
  const { currentTime: position, duration, ended, buffered, played, videoHeight: height } = video;
  gauge.sample({
    now: now(),
    position,
    duration,
    ended,
    height,
    buffered: rangesOf(buffered),
    played: rangesOf(played),
  });
  if (position === 0 && video.paused && now() - nudgedAt > 1) {
    // nobody is there to press play
    nudgedAt = now();
    video.muted = true;
    video.play().catch(() => undefined); // not yet: it is asked again
  }
}

/** What `<p2p-video>` says of its mesh. */
const claimsOfKit = (): unknown =>
  (document.querySelector('p2p-video') as { readonly mesh?: { readonly stats?: unknown } } | null)?.mesh?.stats;

function read(): PageReading {
  const { totalVideoFrames: frames = 0, droppedVideoFrames: dropped = 0 } = video?.getVideoPlaybackQuality() ?? {};
  return { ...gauge.read(), errors, claims: window.gauge?.claims ?? claimsOfKit(), frames, dropped };
}

if (window.top === window && window.gauge === undefined) {
  window.gauge = { fail, claims: undefined, read };
  addEventListener('error', ({ message }) => fail(message));
  addEventListener('unhandledrejection', ({ reason }) => fail(reason));
  const { attachShadow } = Element.prototype;
  Element.prototype.attachShadow = function (init) {
    const root = attachShadow.call(this, init);
    roots.add(root);
    return root;
  };
  setInterval(() => {
    try {
      sample();
    } catch (error) {
      fail(error);
    }
  }, SAMPLE_MS);
}
