/** The manifest by URL. Fetched once per engine, that is once per navigation. Owned by the Engine. */
import { P2PError } from '../../protocol/error.ts';
import type { AssetName } from '../../protocol/ids.ts';
import { isWholeAsset, parseManifest, REWRITE_MANIFEST } from '../../protocol/manifest.ts';
import { MANIFEST_WAIT_MS } from '../core/limits.ts';
import type { Clock, OriginFetch } from '../core/ports.ts';

export interface ListedAsset {
  readonly name: AssetName;
  readonly contentType: string;
}

export class ManifestIndex {
  readonly #clock: Clock;
  readonly #listed = new Map<string, ListedAsset>();
  #ready: Promise<void> = Promise.resolve();
  #startedAt = -Infinity;
  /** Absolute URL prefix of block hashes; null: no manifest. */
  #leaves: string | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Absolute URLs of all listed assets. */
  get urls(): readonly string[] {
    return [...this.#listed.keys()];
  }

  /** Where the block hashes of an asset are, its size being known elsewhere; null: not known. */
  leavesUrl({ digest }: AssetName): string | null {
    return this.#leaves === null ? null : this.#leaves + digest;
  }

  /** Resolves when the manifest is known, or known not to be had. */
  get settled(): Promise<void> {
    return this.#ready;
  }

  /** Starts to fetch the manifest. `failed` hears of one that can't be had or used; then nothing is listed. */
  load(url: string, origin: OriginFetch, failed: (error: P2PError) => void): Promise<void> {
    this.#startedAt = this.#clock.now();
    const loading = this.#load(url, origin).catch((error: unknown) => {
      failed(
        error instanceof P2PError
          ? error
          : new P2PError('manifest-unreachable', unreachable(url, String(error)), { url }),
      );
    });
    this.#ready = loading;
    return loading;
  }

  /** What the manifest says of a URL, as soon as it is there; waits for it at most MANIFEST_WAIT_MS from its own start on. */
  async find(url: string): Promise<ListedAsset | null> {
    const key = withoutFragment(url);
    const known = this.#listed.get(key);
    if (known) return known;
    await this.#readyOrLate();
    return this.#listed.get(key) ?? null;
  }

  async #load(url: string, origin: OriginFetch): Promise<void> {
    const response = await origin({ url, range: null, credentials: 'omit', signal: new AbortController().signal });
    if (response.status !== 200)
      throw new P2PError('manifest-unreachable', unreachable(url, `status ${response.status}`), {
        url,
        status: response.status,
      });
    const decoder = new TextDecoder();
    let text = '';
    for await (const chunk of response.chunks) text += decoder.decode(chunk, { stream: true });
    this.#take(url, text);
  }

  #take(url: string, text: string): void {
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      throw new P2PError(
        'bad-manifest',
        `The manifest ${url} is not JSON ("${text.slice(0, 40)}"). ${REWRITE_MANIFEST}`,
        { url },
      );
    }
    const manifest = parseManifest(json);
    this.#leaves = URL.canParse(manifest.leaves, url) ? new URL(manifest.leaves, url).href : null;
    for (const [path, entry] of Object.entries(manifest.assets)) {
      if (isWholeAsset(entry) && URL.canParse(path, url))
        this.#listed.set(withoutFragment(new URL(path, url).href), {
          name: { digest: entry.digest, size: entry.size },
          contentType: entry.type,
        });
    }
  }

  #readyOrLate(): Promise<void> {
    return new Promise((resolve) => {
      const left = this.#startedAt + MANIFEST_WAIT_MS - this.#clock.now();
      const cancel = this.#clock.after(Math.max(0, left), resolve);
      void this.#ready.then(() => {
        cancel();
        resolve();
      });
    });
  }
}

const unreachable = (url: string, why: string): string =>
  `The manifest ${url} can't be had (${why}): nothing is shared by URL. Serve it, or say <p2p-mesh manifest="URL"> or "none".`;

function withoutFragment(url: string): string {
  const hash = url.indexOf('#');
  return hash < 0 ? url : url.slice(0, hash);
}
