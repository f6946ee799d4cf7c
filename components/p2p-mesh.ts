import { ReactiveElement } from '@lit/reactive-element';
import { type MeshFace, warnOnce } from '../mesh/index.ts';
import { MESH_ATTRIBUTES } from './mesh-options.ts';
import { isMeshInUse, TWO_MESHES, useMesh } from './use-mesh.ts';

/**
 * Says how the page takes part in the mesh. One for each page, and none is needed: by default the signaling server is the page's own
 * origin. Shows nothing. It is read when the first element of the kit uses the mesh; later changes have no effect, but for `token`.
 * On a page with no other element of the kit it lets plain `<img>` and `fetch()` share, by the service worker.
 *
 * @tagname p2p-mesh
 *
 * @attribute {URL} signal - Signaling server. Default: the page's own origin.
 * @attribute {URL | "none"} manifest - Manifest. Default: `/p2p-manifest.json`.
 * @attribute {URL | "none"} worker - Script of the service worker. Default: `/p2p-sw.js`.
 * @attribute {string} share - URL patterns, with blanks between them, of what may be shared: `/media/* /fonts/*`. Default: all of it.
 * @attribute {string} exclude - URL patterns of what may not. Default: none.
 * @attribute {"required" | "none"} verify - `none`: images, films, sound and subtitles without a digest are shared too, by their URLs, as long as they are fresh; a neighbour's word is then all that there is. Default: `required`.
 * @attribute {"on" | "wifi" | "off"} upload - Does this browser hand out what it has? `wifi`: not on a line that the browser knows to be metered. Default: `on`.
 * @attribute {string} max-upload - Upload cap in bits per second, such as `5mbps` or `800kbps`. Default: none.
 * @attribute {string} max-storage - Cap in bytes, such as `200mb` or `1gb`, on the assets that are kept on this device's disk, where the web origin's pages have one store for all; never more than half of what the browser gives it. `none`: they are in memory alone, and what was on the disk goes. Default: 2 GiB.
 * @attribute {string} token - What lets the page in where the signaling server asks for tokens: a JSON Web Token. May be changed at any time, as when it runs out: the mesh then joins with the new one. Default: none.
 * @attribute {"required"} consent - Share nothing before `mesh.consent()` was called. Default: share at once.
 * @attribute {"all" | "relay"} ice-transport - `relay`: connections go through the signaling server's TURN servers alone, and no other viewer sees this one's network address; without a TURN server all comes from the origin. Default: `all`.
 */
export class P2PMesh extends ReactiveElement {
  static override get observedAttributes(): string[] {
    return [...super.observedAttributes, ...MESH_ATTRIBUTES];
  }

  /** The page's mesh. */
  get mesh(): MeshFace {
    return useMesh();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (document.querySelectorAll('p2p-mesh').length > 1) warnOnce(TWO_MESHES);
    // A page of nothing but plain <img> and fetch() shares too: its service worker needs an engine to ask.
    useMesh().join(location.origin);
  }

  override attributeChangedCallback(name: string, old: string | null, value: string | null): void {
    super.attributeChangedCallback(name, old, value);
    if (!this.hasUpdated || old === value || !isMeshInUse()) return;
    if (name === 'token') useMesh().authorize(value?.trim() ?? null);
    else
      warnOnce(
        `<p2p-mesh ${name}> was changed after the mesh was in use, which has no effect. Set it in the page's HTML, or before the first element of the kit is added.`,
      );
  }

  /** No shadow root: there is nothing to show. */
  protected override createRenderRoot(): HTMLElement {
    return this;
  }
}
