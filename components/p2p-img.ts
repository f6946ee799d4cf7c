import { debugOnce, type LoadedAsset, type MeshFace } from '../mesh/index.ts';
import { keepShape, mirrorNative, nativeSizeSheet, setAttribute, upgradeProperties } from './native-mirror.ts';
import { useMesh } from './use-mesh.ts';

/** Attributes that the native image gets as they are. `src` and `loading` are this element's own business. */
const FORWARDED = ['alt', 'width', 'height', 'decoding', 'sizes', 'crossorigin', 'referrerpolicy', 'fetchpriority'];

let styles: CSSStyleSheet | undefined;

type Passed = Omit<
  HTMLImageElement,
  keyof HTMLElement | 'src' | 'srcset' | 'loading' | 'complete' | 'currentSrc' | 'decode'
>;

// What the native image has and this class does not define; see mirrorNative.
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging, @typescript-eslint/no-empty-object-type
export interface P2PImg extends Passed {}

/**
 * A drop-in for `<img>` whose image comes from the neighbours where they have it. The same attributes and properties; `currentSrc` is the
 * image's real URL. Where the mesh can't help (`srcset`, another origin without CORS) the native image loads the URL itself.
 *
 * @tagname p2p-img
 *
 * @attribute {URL} src - The image.
 * @attribute {string} alt - As of `<img>`; so are `width`, `height`, `decoding`, `sizes`, `crossorigin`, `referrerpolicy`, `fetchpriority`.
 * @attribute {string} srcset - As of `<img>`; such an image is loaded natively, without the mesh.
 * @attribute {"eager" | "lazy"} loading - `lazy`: load when the element comes near the viewport.
 * @attribute {"store" | "peers" | "origin" | "mixed"} source - Set by the element: where the bytes came from. Do not set it.
 *
 * @prop {"store" | "peers" | "origin" | "mixed" | null} source - Where the bytes came from; null: not loaded, or loaded natively. Read-only.
 * @prop {boolean | null} shared - Is the image checked and offered to neighbours? null: not loaded by the mesh. Read-only.
 * @prop {HTMLImageElement} nativeEl - The image inside. Read-only.
 * @prop {object} mesh - The page's mesh. Read-only.
 *
 * @event {Event} load - As of `<img>`.
 * @event {Event} error - As of `<img>`.
 *
 * @csspart img - The native image.
 */
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging
export class P2PImg extends HTMLElement {
  static get observedAttributes(): string[] {
    mirrorNative<HTMLImageElement>(P2PImg, [HTMLImageElement.prototype], FORWARDED);
    return [...FORWARDED, 'src', 'srcset', 'loading'];
  }

  readonly #native = document.createElement('img');
  #asset: LoadedAsset | null = null;
  #state: 'empty' | 'waiting' | 'loading' | 'done' = 'empty';
  /** Ends the load under way, and the wait for the viewport. */
  #scope = new AbortController();
  /** Settles when the load under way has given the native image something to show. */
  #given: Promise<void> = Promise.resolve();
  #blobURL = '';

  /** Resolves when the element has followed the last change of its attributes. */
  updateComplete: Promise<void> = Promise.resolve();
  #updatePending = false;

  constructor() {
    super();
    this.#native.part = 'img';
    const root = this.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [(styles ??= nativeSizeSheet())];
    root.append(this.#native);
    for (const type of ['load', 'error']) {
      this.#native.addEventListener(type, () => {
        this.#revoke();
        this.dispatchEvent(new Event(type));
      });
    }
  }

  get mesh(): MeshFace {
    return useMesh();
  }

  get nativeEl(): HTMLImageElement {
    return this.#native;
  }

  get source(): LoadedAsset['source'] | null {
    return this.#asset?.source ?? null;
  }

  get shared(): boolean | null {
    return this.#asset?.shared ?? null;
  }

  get src(): string {
    const src = this.getAttribute('src');
    return src === null ? '' : absolute(src);
  }

  set src(src: string) {
    this.setAttribute('src', src);
  }

  get srcset(): string {
    return this.getAttribute('srcset') ?? '';
  }

  set srcset(srcset: string) {
    this.setAttribute('srcset', srcset);
  }

  get loading(): 'eager' | 'lazy' {
    return this.getAttribute('loading')?.toLowerCase() === 'lazy' ? 'lazy' : 'eager';
  }

  set loading(loading: 'eager' | 'lazy') {
    this.setAttribute('loading', loading);
  }

  get currentSrc(): string {
    return this.#asset ? this.src : this.#native.currentSrc;
  }

  get complete(): boolean {
    return !this.#updatePending && (this.#state === 'empty' || (this.#state === 'done' && this.#native.complete));
  }

  /** As of `<img>`: resolves when the image can be shown without delay. */
  async decode(): Promise<void> {
    await this.updateComplete;
    await this.#given;
    await this.#native.decode();
  }

  connectedCallback(): void {
    upgradeProperties(this);
    // A load that disconnecting ended begins again.
    if (this.#state === 'empty') this.#requestUpdate();
  }

  disconnectedCallback(): void {
    if (this.#state === 'done') return; // moved or put away with its image: nothing to end but the blob's URL, which load or error frees
    this.#end();
  }

  attributeChangedCallback(name: string, _old: string | null, value: string | null): void {
    if (FORWARDED.includes(name)) {
      setAttribute(this.#native, name, value);
      if (name === 'width' || name === 'height') keepShape(this.#native);
    } else if (name === 'src' || name === 'srcset' || (name === 'loading' && this.#state === 'waiting')) {
      this.#requestUpdate();
    }
  }

  /** Attributes that change together are followed together, once the element is in a document. */
  #requestUpdate(): void {
    if (this.#updatePending || !this.isConnected) return;
    this.#updatePending = true;
    this.updateComplete = Promise.resolve().then(() => {
      this.#updatePending = false;
      if (this.isConnected) this.#begin();
    });
  }

  #begin(): void {
    this.#end();
    const native = this.#native;
    if (this.hasAttribute('srcset')) {
      setAttribute(native, 'loading', this.getAttribute('loading'));
      native.srcset = this.srcset;
      this.#showNatively();
      return;
    }
    native.removeAttribute('srcset');
    native.removeAttribute('loading');
    if (!this.getAttribute('src')) native.removeAttribute('src');
    else if (!/^https?:/.test(this.src)) this.#showNatively();
    else if (this.loading === 'lazy') this.#loadWhenNear();
    else this.#load();
  }

  #load(): void {
    this.#state = 'loading';
    this.#given = this.#loadByMesh(this.src, this.#scope.signal);
  }

  async #loadByMesh(url: string, signal: AbortSignal): Promise<void> {
    let asset: LoadedAsset;
    try {
      asset = await this.mesh.load(url, { use: 'image', signal });
    } catch {
      // Whatever the reason, the native image tries the same URL and says how it went, as <img> would.
      if (!signal.aborted) this.#showNatively();
      return;
    }
    if (signal.aborted) return;
    this.#asset = asset;
    setAttribute(this, 'source', asset.source);
    if (!asset.shared) {
      debugOnce(`${url} is not in the manifest: not shared. (Said once.)`, 'img not shared');
    }
    this.#blobURL = URL.createObjectURL(new Blob([asset.body], { type: asset.contentType }));
    this.#show(this.#blobURL);
  }

  #loadWhenNear(): void {
    this.#state = 'waiting';
    // The margin is Chromium's for a fast line: the image is there when the reader is.
    const observer = new IntersectionObserver(
      (entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        observer.disconnect();
        this.#load();
      },
      { rootMargin: '1250px' },
    );
    this.#scope.signal.addEventListener('abort', () => observer.disconnect());
    observer.observe(this);
  }

  #showNatively(): void {
    if (this.hasAttribute('src')) this.#show(this.src);
    else this.#state = 'done';
  }

  #show(url: string): void {
    this.#state = 'done';
    this.#native.src = url;
  }

  /** Ends what is under way and forgets what was shown; the picture stays until the next one is there, as in `<img>`. */
  #end(): void {
    this.#scope.abort();
    this.#scope = new AbortController();
    this.#revoke();
    this.#asset = null;
    this.#state = 'empty';
    this.removeAttribute('source');
  }

  #revoke(): void {
    URL.revokeObjectURL(this.#blobURL);
    this.#blobURL = '';
  }
}

function absolute(url: string): string {
  return URL.canParse(url, document.baseURI) ? new URL(url, document.baseURI).href : url;
}
