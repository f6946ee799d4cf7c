/** The manifest by URL. Asked for with the engine's start and with each tab that comes to use it: once per navigation. Owned by the Engine. */
import { P2PError } from '../../protocol/error.ts';
import type { AssetName } from '../../protocol/ids.ts';
import { MAX_PART_BYTES } from '../../protocol/limits.ts';
import { isWholeAsset, parseManifest, REWRITE_MANIFEST } from '../../protocol/manifest.ts';
import type { ShareableFile } from '../../protocol/page.ts';
import { withoutFragment } from '../../protocol/without-fragment.ts';
import { MANIFEST_FRESH_MS, MANIFEST_WAIT_MS } from '../core/limits.ts';
import type { Clock, KeptTexts, OriginFetch } from '../core/ports.ts';
import { statusOf } from './origin-door.ts';

export interface ListedAsset {
  readonly name: AssetName;
  readonly contentType: string;
}

export interface ManifestPorts {
  readonly origin: OriginFetch;
  /** What it says of other URLs is not taken; null: all of it is. */
  readonly mayShare: Promise<(url: string) => boolean> | null;
  readonly kept: KeptTexts;
  /** Hears of one that can't be had or used; then nothing is listed. */
  readonly failed: (error: P2PError) => void;
}

export class ManifestIndex {
  readonly #clock: Clock;
  /** By absolute URL without fragment. */
  #listed: ReadonlyMap<string, ShareableFile> = new Map();
  #isLoading = false;
  #source: { readonly url: string; readonly ports: ManifestPorts } | null = null;
  #ready: Promise<void> = Promise.resolve();
  #startedAt = -Infinity;
  /** Is it that of an earlier visit? */
  #isKept = false;
  /** Absolute URL prefix of block hashes; null: no manifest. */
  #leaves: string | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** All that is listed. */
  get files(): readonly ShareableFile[] {
    return [...this.#listed.values()];
  }

  /** Of these what the origin has now, as far as it said so: nothing where the manifest is of an earlier visit. */
  get current(): readonly ShareableFile[] {
    return this.#isKept ? [] : this.files;
  }

  /** Where the block hashes of an asset are, its size being known elsewhere; null: not known. */
  leavesUrl({ digest }: AssetName): string | null {
    return this.#leaves === null ? null : this.#leaves + digest;
  }

  /** Is it being asked for? Then what is listed is nothing yet, or may be old. */
  get isLoading(): boolean {
    return this.#isLoading;
  }

  /** Resolves when the manifest is known, or known not to be had. */
  get settled(): Promise<void> {
    return this.#ready;
  }

  /** Starts to fetch the manifest; where the origin is gone that of an earlier visit counts. */
  load(url: string, ports: ManifestPorts): Promise<void> {
    this.#source = { url, ports };
    this.#isLoading = true;
    this.#startedAt = this.#clock.now();
    const loading = this.#load(url, ports).catch((error: unknown) => {
      ports.failed(
        error instanceof P2PError
          ? error
          : new P2PError('manifest-unreachable', unreachable(url, String(error)), { url }),
      );
    });
    const ready = loading.finally(() => {
      if (this.#ready === ready) this.#isLoading = false;
    });
    this.#ready = ready;
    return ready;
  }

  /** Another page has come, perhaps after a deploy. @returns whether it is asked for again */
  revalidate(): boolean {
    if (!this.#source || this.#clock.now() - this.#startedAt < MANIFEST_FRESH_MS) return false;
    void this.load(this.#source.url, this.#source.ports);
    return true;
  }

  /** What the manifest says of a URL that is one asset, as soon as it is there; waits for it at most MANIFEST_WAIT_MS from its own start on. */
  async find(url: string): Promise<ListedAsset | null> {
    const file = await this.#find(url);
    return file?.parts.length === 1 ? partOf(file, 0) : null;
  }

  /** The same of the asset that begins at this byte of a URL. */
  async part(url: string, start: number): Promise<ListedAsset | null> {
    const file = await this.#find(url);
    return file ? partOf(file, start / MAX_PART_BYTES) : null;
  }

  /** Those of these URLs that are listed. */
  async listed(urls: readonly string[]): Promise<readonly ShareableFile[]> {
    return (await Promise.all(urls.map((url) => this.#find(url)))).flatMap((file) => file ?? []);
  }

  async #find(url: string): Promise<ShareableFile | undefined> {
    const key = withoutFragment(url);
    if (this.#isLoading || !this.#listed.has(key)) await this.#readyOrLate();
    return this.#listed.get(key);
  }

  async #load(url: string, { origin, mayShare, kept }: ManifestPorts): Promise<void> {
    const filter = (await mayShare) ?? (() => true);
    let text: string;
    try {
      text = await textOf(url, origin);
    } catch (error) {
      const earlier = await kept.read(url);
      if (earlier === null || (statusOf(error) > 0 && statusOf(error) < 500)) throw error;
      this.#isKept = true;
      this.#take(url, earlier, filter);
      return;
    }
    this.#take(url, text, filter);
    this.#isKept = false;
    void kept.write(url, text);
  }

  #take(url: string, text: string, mayShare: (url: string) => boolean): void {
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
    const listed = new Map<string, ShareableFile>();
    for (const [path, entry] of Object.entries(manifest.assets)) {
      if (!URL.canParse(path, url)) continue;
      const { size, type } = entry;
      const key = withoutFragment(new URL(path, url).href);
      if (!mayShare(key)) continue;
      listed.set(key, { url: key, size, type, parts: isWholeAsset(entry) ? [entry.digest] : entry.parts });
    }
    this.#listed = listed;
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

/** @throws P2PError `manifest-unreachable` for an HTTP error; what the origin's door throws where no answer came */
async function textOf(url: string, origin: OriginFetch): Promise<string> {
  const { signal } = new AbortController();
  const response = await origin({ url, range: null, credentials: 'omit', signal, revalidates: true });
  const { status } = response;
  if (status !== 200) throw new P2PError('manifest-unreachable', unreachable(url, `status ${status}`), { url, status });
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.chunks) text += decoder.decode(chunk, { stream: true });
  return text;
}

function partOf({ size, type, parts }: ShareableFile, index: number): ListedAsset | null {
  const digest = parts[index];
  if (digest === undefined) return null;
  const start = index * MAX_PART_BYTES;
  return {
    name: { digest, size: parts.length === 1 ? size : Math.min(MAX_PART_BYTES, size - start) },
    contentType: type,
  };
}

const unreachable = (url: string, why: string): string =>
  `The manifest ${url} can't be had (${why}): nothing is shared by URL. Serve it there, or say <p2p-mesh manifest="URL"> or "none".`;
