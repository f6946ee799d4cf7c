import { ReactiveElement } from '@lit/reactive-element';
import { type MeshFace, type Prefetched, warnOnce } from '../mesh/index.ts';
import { parseRate } from './mesh-options.ts';
import { useMesh } from './use-mesh.ts';

const ATTRIBUTES = ['src', 'swarm', 'max-bandwidth'] as const;

/**
 * Brings a file, or all that an HLS playlist lists, onto this device before it is needed, as `mesh.prefetch()` does: the lesson of the next hour.
 * Shows nothing. It begins when it is in the page, and again when its attributes change; it ends when it is taken away.
 *
 * @tagname p2p-asset
 *
 * @attribute {URL} src - What is to be brought.
 * @attribute {string} swarm - As of `<p2p-video>`. Default: the URL without its query.
 * @attribute {string} max-bandwidth - Renditions with a higher bit rate, such as `2mbps`, are left out, unless there is no other. Default: none is.
 *
 * @prop {number} loaded - Bytes that came so far. Read-only.
 * @prop {number} total - Bytes in all, as far as that is known. Read-only.
 * @prop {object | null} result - What is on this device and what is missing; null: it is not done. Read-only.
 * @prop {object} mesh - The page's mesh. Read-only.
 *
 * @event {Event} progress - More has come.
 * @event {Event} load - All of it is on this device.
 * @event {Event} error - Some of it is missing: see `result`.
 */
export class P2PAsset extends ReactiveElement {
  static override get observedAttributes(): string[] {
    return [...super.observedAttributes, ...ATTRIBUTES];
  }

  #loaded = 0;
  #total = 0;
  #result: Prefetched | null = null;
  #scope: AbortController | null = null;

  get mesh(): MeshFace {
    return useMesh();
  }

  get src(): string {
    const src = this.getAttribute('src');
    return src === null ? '' : new URL(src, document.baseURI).href;
  }

  set src(src: string) {
    this.setAttribute('src', src);
  }

  get loaded(): number {
    return this.#loaded;
  }

  get total(): number {
    return this.#total;
  }

  get result(): Prefetched | null {
    return this.#result;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.requestUpdate();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#scope?.abort();
    this.#scope = null;
  }

  override attributeChangedCallback(name: string, old: string | null, value: string | null): void {
    super.attributeChangedCallback(name, old, value);
    if (old !== value) this.requestUpdate();
  }

  /** Called once for all changes of a task. */
  protected override update(changed: Map<PropertyKey, unknown>): void {
    super.update(changed);
    this.#scope?.abort();
    this.#scope = null;
    this.#result = null;
    this.#loaded = this.#total = 0;
    if (this.isConnected && this.hasAttribute('src')) void this.#bring();
  }

  /** No shadow root: there is nothing to show. */
  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  async #bring(): Promise<void> {
    const { signal } = (this.#scope = new AbortController());
    const swarm = this.getAttribute('swarm');
    const maxBandwidth = this.#maxBandwidth;
    try {
      const result = await this.mesh.prefetch(this.getAttribute('src') ?? '', {
        signal,
        ...(swarm !== null && { swarm }),
        ...(maxBandwidth !== null && { maxBandwidth }),
        onProgress: (loaded, total) => {
          if (signal.aborted) return;
          this.#loaded = loaded;
          this.#total = total;
          this.dispatchEvent(new Event('progress'));
        },
      });
      if (signal.aborted) return;
      this.#result = result;
      const { missing } = result;
      if (missing.length > 0)
        warnOnce(
          `<p2p-asset src="${this.getAttribute('src') ?? ''}">: ${missing.length} files are not on this device, for they could not be had or have no digest: ${missing.slice(0, 3).join(', ')}. Are they in the manifest, or tagged in the playlist?`,
        );
      this.dispatchEvent(new Event(missing.length > 0 ? 'error' : 'load'));
    } catch (error) {
      if (signal.aborted) return;
      warnOnce(`<p2p-asset src="${this.getAttribute('src') ?? ''}">: ${String(error)}`);
      this.dispatchEvent(new Event('error'));
    }
  }

  get #maxBandwidth(): number | null {
    const text = this.getAttribute('max-bandwidth');
    const rate = text === null ? null : parseRate(text);
    if (text !== null && rate === null)
      warnOnce(
        `<p2p-asset max-bandwidth="${text.slice(0, 100)}"> is not understood: expected bits per second, such as "2mbps". For now all renditions are brought.`,
      );
    return rate;
  }
}
