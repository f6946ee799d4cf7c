import type Hls from 'hls.js';
import { ReactiveElement, unsafeCSS } from '@lit/reactive-element';
import { type MeshFace, warnOnce } from '../mesh/index.ts';
import { swarmOfName, swarmOfStream } from '../protocol/swarm.ts';
import { hasMediaSource } from './hls/build.ts';
import { HlsPlayer } from './hls/hls-player.ts';
import { keepShape, mirrorNative, NATIVE_SIZE, setAttribute, upgradeProperties } from './native-mirror.ts';
import { PlayWatch } from './play-watch.ts';
import { useMesh } from './use-mesh.ts';
import { abrOf, chooseSource, isHlsType, preloadOf, type VideoSource } from './video-source.ts';

/** Attributes that the native video gets as they are. */
const FORWARDED = [
  ...['autoplay', 'controls', 'controlslist', 'crossorigin', 'disablepictureinpicture', 'disableremoteplayback'],
  ...['height', 'loop', 'muted', 'playsinline', 'poster', 'preload', 'width'],
];

/** Events of a media element; none of them bubbles or leaves a shadow root by itself. */
const MEDIA_EVENTS = [
  ...[
    'abort',
    'canplay',
    'canplaythrough',
    'durationchange',
    'emptied',
    'ended',
    'error',
    'loadeddata',
    'loadedmetadata',
    'loadstart',
  ],
  ...[
    'pause',
    'play',
    'playing',
    'progress',
    'ratechange',
    'resize',
    'seeked',
    'seeking',
    'stalled',
    'suspend',
    'timeupdate',
  ],
  ...['volumechange', 'waiting', 'encrypted', 'waitingforkey', 'enterpictureinpicture', 'leavepictureinpicture'],
];

type Passed = Omit<
  HTMLVideoElement,
  keyof HTMLElement | 'src' | 'currentSrc' | 'error' | 'load' | 'play' | 'pause' | 'canPlayType'
>;

// What the native video has and this class does not define; see mirrorNative.
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging, @typescript-eslint/no-empty-object-type
export interface P2PVideo extends Passed {}

/**
 * A drop-in for `<video>` that plays HLS, and takes its segments from the neighbours where they have them. The same attributes, properties,
 * methods and events; `<source>` and `<track>` children count. A plain file is played by the native video.
 *
 * @tagname p2p-video
 *
 * @attribute {URL} src - An HLS playlist or a plain file. Also as `<source>` children.
 * @attribute {string} swarm - Names the swarm where the URL should not: viewers with the same name share. Default: the URL without its query.
 * @attribute {boolean} autoplay - As of `<video>`; so are `controls`, `controlslist`, `crossorigin`, `disablepictureinpicture`, `disableremoteplayback`, `height`, `loop`, `muted`, `playsinline`, `poster`, `width`.
 * @attribute {"auto" | "metadata" | "none"} preload - `none`: no segment before `play()`; `metadata`: one. Default: `auto`.
 * @attribute {"swarm" | "player"} abr - Who chooses the rendition. `swarm`: what the line that all viewers of a site share carries once; `player`: hls.js by itself, which takes each viewer's speed for the line's. Counts when a source begins. Default: `swarm`.
 *
 * @prop {HTMLVideoElement} nativeEl - The video inside. Read-only.
 * @prop {object | null} api - The hls.js instance while it plays HLS. Read-only.
 * @prop {object} mesh - The page's mesh. Read-only.
 *
 * @event {Event} error - When nothing helps any more: the origin refuses the stream, or the browser can't decode it. All other events of `<video>` are fired, too.
 *
 * @slot - `<source>` and `<track>` elements, as of `<video>`. Not shown.
 *
 * @csspart video - The native video.
 */
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging
export class P2PVideo extends ReactiveElement {
  static override styles = unsafeCSS(NATIVE_SIZE);

  static override get observedAttributes(): string[] {
    mirrorNative<HTMLVideoElement>(P2PVideo, [HTMLVideoElement.prototype, HTMLMediaElement.prototype], FORWARDED);
    return [...super.observedAttributes, ...FORWARDED, 'src', 'swarm'];
  }

  readonly #native = document.createElement('video');
  readonly #watch = new PlayWatch(this.#native, () => this.mesh);
  readonly #children = new MutationObserver(() => this.#onChildren());
  /** False again a microtask after it left the page, as <video> does it: what is moved within the page plays on. */
  #placed = false;
  #player: HlsPlayer | null = null;
  #hls: Hls | null = null;
  #source: VideoSource | null = null;
  #error: { readonly code: number; readonly message: string } | null = null;
  /** Ends with the source under way. */
  #scope = new AbortController();
  /** While the source under way is not yet in the native video: those who said `play()`. */
  #waiting: { resolve: () => void; reject: (error: DOMException) => void }[] | null = null;

  constructor() {
    super();
    this.#native.part = 'video';
    for (const type of MEDIA_EVENTS)
      this.#native.addEventListener(type, (event) => this.#pass(event), { capture: true });
  }

  get mesh(): MeshFace {
    return useMesh();
  }

  get nativeEl(): HTMLVideoElement {
    return this.#native;
  }

  get api(): Hls | null {
    return this.#hls;
  }

  get src(): string {
    const src = this.getAttribute('src');
    return src !== null && URL.canParse(src, document.baseURI) ? new URL(src, document.baseURI).href : (src ?? '');
  }

  set src(src: string) {
    this.setAttribute('src', src);
  }

  /** The real URL, also where the native video plays a `blob:` of Media Source Extensions. */
  get currentSrc(): string {
    return this.#source?.url ?? '';
  }

  get error(): { readonly code: number; readonly message: string } | null {
    return this.#error ?? (this.#player ? null : this.#native.error);
  }

  /** As of `<video>`: begins anew with what `src` and the `<source>` children say now. */
  load(): void {
    this.#begin();
  }

  /** As of `<video>`, also while the player is still being loaded. */
  async play(): Promise<void> {
    if (this.isUpdatePending) await this.updateComplete;
    const waiting = this.#waiting;
    if (waiting) await new Promise<void>((resolve, reject) => waiting.push({ resolve, reject }));
    await this.#native.play();
  }

  pause(): void {
    this.#interrupt();
    this.#native.pause();
  }

  canPlayType(type: string): CanPlayTypeResult {
    return this.#native.canPlayType(type) || (isHlsType(type) && hasMediaSource() ? 'maybe' : '');
  }

  override connectedCallback(): void {
    super.connectedCallback();
    upgradeProperties(this);
    if (this.#placed) return;
    this.#placed = true;
    this.#children.observe(this, { childList: true });
    this.#cloneTracks();
    this.requestUpdate('src'); // begins in the update: all attributes are known then
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    queueMicrotask(() => {
      if (this.isConnected) return;
      this.#placed = false;
      this.#children.disconnect();
      this.#end();
    });
  }

  override attributeChangedCallback(name: string, old: string | null, value: string | null): void {
    super.attributeChangedCallback(name, old, value);
    if (FORWARDED.includes(name)) {
      setAttribute(this.#native, name, value);
      // The attribute says how a video begins; a native element heeds it only when the parser made it.
      if (name === 'muted' && !this.#source) this.#native.muted = value !== null;
      if (name === 'width' || name === 'height') keepShape(this.#native);
    } else if (name === 'src' || name === 'swarm') {
      this.requestUpdate('src');
    }
  }

  protected override createRenderRoot(): HTMLElement | DocumentFragment {
    const root = super.createRenderRoot();
    root.append(this.#native);
    return root;
  }

  protected override updated(changed: Map<PropertyKey, unknown>): void {
    if (changed.has('src') && this.isConnected) this.#begin();
  }

  #begin(): void {
    this.#end();
    const sources = [...this.querySelectorAll<HTMLSourceElement>(':scope > source')];
    const candidates = sources.map((source) => ({
      src: source.getAttribute('src') ?? '',
      type: source.type,
      media: source.media,
    }));
    const canPlay = (type: string): boolean => this.#native.canPlayType(type) !== '';
    this.#source = chooseSource(
      this.getAttribute('src'),
      candidates,
      document.baseURI,
      canPlay,
      (query) => matchMedia(query).matches,
    );
    if (!this.#source) return;
    this.#watch.begin();
    const { url, kind } = this.#source;
    this.#waiting = [];
    if (kind === 'hls') this.#playHls(url);
    else if (kind === 'file') this.#playFile(url);
    else void this.#playByContentType(url, this.#scope.signal);
  }

  #playFile(url: string): void {
    this.#native.src = url;
    this.#attached();
  }

  /** The native video has what it shall play: whoever said `play()` may. */
  #attached(): void {
    for (const { resolve } of this.#waiting ?? []) resolve();
    this.#waiting = null;
  }

  /** What `<video>` does to a pending `play()` when it is paused or gets another source. */
  #interrupt(): void {
    for (const { reject } of this.#waiting ?? [])
      reject(new DOMException('The play() request was interrupted by pause() or a new source.', 'AbortError'));
    this.#waiting &&= [];
  }

  #playHls(url: string): void {
    const { mesh } = this;
    const swarm = this.#swarmOf(url);
    if (swarm !== null) mesh.join(swarm);
    if (!hasMediaSource()) {
      this.#playFile(url);
      return;
    }
    this.#player = new HlsPlayer({
      mesh,
      swarm,
      url,
      media: this.#native,
      abr: abrOf(this.getAttribute('abr'), warnOnce),
      preload: preloadOf(this.getAttribute('preload'), this.hasAttribute('autoplay')),
      onInstance: (hls) => {
        this.#hls = hls;
        this.#attached();
      },
      onError: (code, message) => this.#fail(code, message),
    });
    void this.#player.start();
  }

  /** The URL does not tell what it is: the origin's headers do. The body is not read. */
  async #playByContentType(url: string, signal: AbortSignal): Promise<void> {
    const probe = new AbortController();
    const response = await fetch(url, { signal: AbortSignal.any([signal, probe.signal]) }).catch(() => null);
    probe.abort();
    if (signal.aborted) return;
    if (isHlsType(response?.headers.get('content-type') ?? '')) this.#playHls(url);
    else this.#playFile(url);
  }

  /** The swarm that the author named, else the stream's URL. null: neither can be used, and nothing of the stream is shared. */
  #swarmOf(url: string): string | null {
    const name = this.getAttribute('swarm');
    for (const swarm of [() => (name === null ? null : swarmOfName(name)), () => swarmOfStream(url)]) {
      try {
        const id = swarm();
        if (id !== null) return id;
      } catch (error) {
        warnOnce(
          `<p2p-video swarm>: ${error instanceof Error ? error.message : String(error)} Set its swarm attribute to such a name; without one the stream's URL is taken.`,
        );
      }
    }
    return null;
  }

  #fail(code: number, message: string): void {
    this.#error = { code, message };
    for (const { reject } of this.#waiting ?? []) reject(new DOMException(message, 'NotSupportedError'));
    this.#waiting = null;
    warnOnce(`${this.currentSrc} can't be played: ${message}`);
    this.dispatchEvent(new Event('error'));
  }

  #pass(event: Event): void {
    this.#watch.take(event.type);
    // While hls.js plays, an error of the native video is its business: it recovers, or reports.
    if (event.type === 'error' && this.#player) return;
    const Type = event.constructor as typeof Event;
    // An event can serve as the dictionary that its own constructor takes.
    this.dispatchEvent(new Type(event.type, event));
  }

  #onChildren(): void {
    this.#cloneTracks();
    // As of <video>: a <source> that is added counts only while there is nothing to play.
    if (!this.#source && !this.hasAttribute('src')) this.#begin();
  }

  #cloneTracks(): void {
    this.#native.replaceChildren(...[...this.querySelectorAll(':scope > track')].map((track) => track.cloneNode()));
  }

  /** Ends the source under way; nothing of it is left in the native video. */
  #end(): void {
    this.#scope.abort();
    this.#scope = new AbortController();
    this.#interrupt();
    this.#waiting = null;
    const played = this.#source !== null;
    this.#player?.destroy();
    this.#player = this.#hls = this.#source = this.#error = null;
    if (!played || !this.#native.hasAttribute('src')) return;
    this.#native.removeAttribute('src');
    this.#native.load();
  }
}
