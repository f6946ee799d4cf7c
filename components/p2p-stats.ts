import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import type { MeshFace } from '../mesh/index.ts';
import { formatBytes, summarize, type Share } from './stats-summary.ts';
import { useMesh } from './use-mesh.ts';

/** Milliseconds between two updates of the panel: four a second is as fast as anyone reads. */
const UPDATE_MS = 250;

/**
 * A small panel that shows what the mesh does for this page: neighbours, where the bytes of this visit came from, what was handed out.
 *
 * @tagname p2p-stats
 *
 * @prop {object} mesh - The page's mesh. Read-only.
 *
 * @csspart panel - The panel.
 * @csspart state - The line that says in words how things stand.
 * @csspart bar - The bar of shares; its parts are `bar-peers`, `bar-store` and `bar-origin`.
 * @csspart row - A line of the list below it.
 *
 * @cssprop --p2p-stats-background - Background of the panel.
 * @cssprop --p2p-stats-color - Text.
 * @cssprop --p2p-stats-muted - Labels.
 * @cssprop --p2p-stats-border - Border and empty bar.
 * @cssprop --p2p-stats-peers - Bytes from neighbours.
 * @cssprop --p2p-stats-store - Bytes from this device.
 * @cssprop --p2p-stats-origin - Bytes from the origin.
 */
export class P2PStats extends LitElement {
  static override styles = css`
    :host {
      --background: var(--p2p-stats-background, #fff);
      --color: var(--p2p-stats-color, #17202b);
      --muted: var(--p2p-stats-muted, #5b6776);
      --border: var(--p2p-stats-border, #dfe4ea);
      --peers: var(--p2p-stats-peers, #0a8f5b);
      --store: var(--p2p-stats-store, #3b6fd4);
      --origin: var(--p2p-stats-origin, #d97a1d);
      display: block;
      max-width: 24rem;
      font:
        0.875rem / 1.5 system-ui,
        sans-serif;
      font-variant-numeric: tabular-nums;
    }
    :host([hidden]) {
      display: none;
    }
    @media (prefers-color-scheme: dark) {
      :host {
        --background: var(--p2p-stats-background, #17202b);
        --color: var(--p2p-stats-color, #eef2f6);
        --muted: var(--p2p-stats-muted, #a3b0bf);
        --border: var(--p2p-stats-border, #33404e);
        --peers: var(--p2p-stats-peers, #3ccf91);
        --store: var(--p2p-stats-store, #7ea6f5);
        --origin: var(--p2p-stats-origin, #f0a354);
      }
    }
    .panel {
      padding: 0.9rem 1rem;
      border: 1px solid var(--border);
      border-radius: 0.75rem;
      background: var(--background);
      color: var(--color);
    }
    .head {
      display: flex;
      justify-content: space-between;
      gap: 1rem;
    }
    /* Two lines are kept for the state, so that a longer one moves nothing below it. */
    .state {
      min-height: 3em;
      font-weight: 600;
    }
    .state::before {
      content: '';
      display: inline-block;
      width: 0.6em;
      height: 0.6em;
      margin-inline-end: 0.5em;
      border-radius: 50%;
      background: var(--light, var(--muted));
    }
    .sharing {
      --light: var(--peers);
    }
    .alone {
      --light: var(--store);
    }
    .trouble {
      --light: var(--origin);
    }
    .offload {
      text-align: end;
      white-space: nowrap;
    }
    .offload strong {
      display: block;
      font-size: 1.5em;
      line-height: 1.1;
    }
    small,
    dt {
      color: var(--muted);
    }
    .bar {
      display: flex;
      height: 0.6rem;
      margin-block: 0.5rem 0.6rem;
      overflow: hidden;
      border-radius: 0.3rem;
      background: var(--border);
    }
    .bar span {
      flex: 0 1 auto;
      transition: flex-grow 0.4s;
    }
    @media (prefers-reduced-motion: reduce) {
      .bar span {
        transition: none;
      }
    }
    .peers {
      --of: var(--peers);
    }
    .store {
      --of: var(--store);
    }
    .origin {
      --of: var(--origin);
    }
    .bar span,
    dt.of::before {
      background: var(--of);
    }
    dt.of::before {
      content: '';
      display: inline-block;
      width: 0.6em;
      height: 0.6em;
      margin-inline-end: 0.5em;
      border-radius: 0.15em;
    }
    dl {
      display: grid;
      margin: 0;
    }
    dl div {
      display: flex;
      justify-content: space-between;
    }
    dd {
      margin: 0;
    }
  `;

  #timer: ReturnType<typeof setTimeout> | null = null;
  #stale = false;
  #face: MeshFace | null = null;

  get mesh(): MeshFace {
    return useMesh();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#face = this.mesh;
    this.#face.addEventListener('stats', this.#onStats);
    this.requestUpdate();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#face?.removeEventListener('stats', this.#onStats);
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  protected override render(): TemplateResult {
    const { mood, state, shares, uploaded, offload, text } = summarize(this.mesh.stats);
    return html`
      <div class="panel" part="panel" role="group" aria-label="Sharing on this page">
        <div class="head">
          <div class="state ${mood}" part="state" role="status">${state}</div>
          <div class="offload"><strong>${offload}</strong><small>offload</small></div>
        </div>
        <div class="bar" part="bar" role="img" aria-label=${text}>${shares.map(barPart)}</div>
        <dl>
          ${shares.map(({ from, label, bytes }) => row(label, formatBytes(bytes), `of ${from}`))}
          ${row('Handed out', uploaded, nothing)}
        </dl>
      </div>
    `;
  }

  /** The first change shows at once, those that follow within a quarter second together. */
  readonly #onStats = (): void => {
    if (this.#timer) {
      this.#stale = true;
      return;
    }
    this.#stale = false;
    this.requestUpdate();
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (this.#stale) this.#onStats();
    }, UPDATE_MS);
  };
}

const barPart = ({ from, fraction }: Share): TemplateResult =>
  html`<span class=${from} part=${`bar-${from}`} .style=${`flex-grow: ${fraction}`}></span>`;

const row = (label: string, value: string, className: string | typeof nothing): TemplateResult =>
  html`<div part="row">
    <dt class=${className}>${label}</dt>
    <dd>${value}</dd>
  </div>`;
