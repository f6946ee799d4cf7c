/** Files that follow from a seed, a page that loads them and checks each byte, and what is in the kit's part of the Cache API meanwhile, seen from outside the kit. */
import { createHash } from 'node:crypto';
import type { MeshFace, P2PMesh } from '../../../index.ts';
import type { Digest } from '../../../protocol/ids.ts';
import { ASSET_CACHE } from '../../../protocol/asset-cache.ts';
import { isWholeAsset, parseManifest } from '../../../protocol/manifest.ts';
import { until } from '../../harness/until.ts';
import type { Stage } from './stage.ts';
import { inPage, type AnyPage } from './viewer.ts';

export interface SeededFile {
  readonly path: string;
  /** As the manifest has it. */
  readonly digest: string;
  /** Hex. */
  readonly sha256: string;
}

/** By which door the page asks: the mesh, or as any page does, by the service worker. */
export type Door = 'mesh' | 'fetch';

/** What a page has loaded so far. */
export interface Loading {
  readonly right: readonly string[];
  /** Answered with other bytes than the file's. */
  readonly wrong: readonly string[];
  readonly failed: readonly string[];
  readonly isOver: boolean;
}

/** What was seen of the cache so far. */
export interface DiskSeen {
  /** Bytes of all bodies at one time. */
  readonly most: number;
  readonly last: number;
  readonly looks: number;
  /** Bodies that were not there at the look before. */
  readonly came: number;
}

type Watching = Window & { readonly loading: Loading; readonly disk: DiskSeen };

/** Writes files into the media folder, and waits until the manifest lists them. */
export async function writeFiles(scene: Stage, seed: number, sizes: readonly number[]): Promise<SeededFile[]> {
  const hashes = new Map<string, string>();
  for (const [index, size] of sizes.entries()) {
    const bytes = createHash('shake256', { outputLength: size }).update(`${seed} ${index}`).digest();
    await scene.write(`files/${index}.bin`, bytes);
    hashes.set(`/media/files/${index}.bin`, createHash('sha256').update(bytes).digest('hex'));
  }
  return until(
    'the digests of all files',
    async () => {
      const manifest = parseManifest(await (await fetch(`${scene.server.url}/p2p-manifest.json`)).json());
      return [...hashes].map(([path, sha256]) => {
        const entry = manifest.assets[path];
        if (!entry || !isWholeAsset(entry)) throw new Error(`${path} is not listed`);
        return { path, sha256, digest: entry.digest };
      });
    },
    { timeout: 120_000 },
  );
}

/** Begins to load files, several at a time, in this order. */
export const beginLoading = (page: AnyPage, files: readonly SeededFile[], door: Door, lanes = 4): Promise<void> =>
  inPage(
    page,
    ({ files, door, lanes }) => {
      const waiting = [...files];
      const loading = {
        right: [] as string[],
        wrong: [] as string[],
        failed: [] as string[],
        isOver: false,
        lanes,
        async begin(mesh: MeshFace) {
          for (let file = waiting.shift(); file; file = waiting.shift()) {
            const { path, sha256 } = file;
            try {
              const response = await (door === 'mesh' ? mesh.fetch(path) : fetch(path));
              if (!response.ok) throw new Error(`status ${response.status}`);
              const hash = await crypto.subtle.digest('SHA-256', await response.arrayBuffer());
              const hex = [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
              this[hex === sha256 ? 'right' : 'wrong'].push(path);
            } catch (error) {
              this.failed.push(`${path}: ${String(error)}`);
            }
          }
          this.isOver = --this.lanes === 0;
        },
      };
      Object.assign(window, { loading });
      const { mesh } = document.querySelector<P2PMesh>('p2p-mesh')!;
      for (let lane = 0; lane < lanes; lane++) void loading.begin(mesh);
    },
    { files, door, lanes },
  );

export const loadingOf = (page: AnyPage): Promise<Loading> =>
  inPage(page, () => (window as unknown as Watching).loading);

/** Loads files and waits for all answers. */
export async function loadAll(page: AnyPage, files: readonly SeededFile[], door: Door): Promise<Loading> {
  if (files.length === 0) return { right: [], wrong: [], failed: [], isOver: true };
  await beginLoading(page, files, door);
  return until(
    `${files.length} answers`,
    async () => {
      const loading = await loadingOf(page);
      return loading.isOver && loading;
    },
    { timeout: 180_000 },
  );
}

/** Looks at the cache again and again from now on. */
export const watchDisk = (page: AnyPage): Promise<void> =>
  inPage(
    page,
    (name) => {
      const disk = {
        most: 0,
        last: 0,
        looks: 0,
        came: 0,
        known: null as Set<string> | null,
        async look() {
          // Not to be made by this look: the kit takes one that is there for an earlier visit's.
          if (await caches.has(name)) {
            const cache = await caches.open(name);
            const keys = new Set((await cache.keys()).map(({ url }) => url));
            for (const key of keys) if (this.known?.has(key) === false) this.came++;
            this.known = keys;
            const bodies = await Promise.all((await cache.matchAll()).map((response) => response.blob()));
            this.last = bodies.reduce((sum, { size }) => sum + size, 0);
            this.most = Math.max(this.most, this.last);
            this.looks++;
          }
          setTimeout(() => void this.look(), 10);
        },
      };
      Object.assign(window, { disk });
      void disk.look();
    },
    ASSET_CACHE,
  );

export const diskOf = (page: AnyPage): Promise<DiskSeen> =>
  inPage(page, () => {
    const { most, last, looks, came } = (window as unknown as Watching).disk;
    return { most, last, looks, came };
  });

/** Those of the files whose bodies are in the cache. */
export async function keptOf(page: AnyPage, files: readonly SeededFile[]): Promise<SeededFile[]> {
  const keys = await inPage(
    page,
    async (name) =>
      (await caches.has(name)) ? (await (await caches.open(name)).keys()).map(({ url }) => url).join() : '',
    ASSET_CACHE,
  );
  return files.filter(({ digest }) => keys.includes(digest));
}

/** How many of these the kit says that it has. */
export const heldOf = (page: AnyPage, files: readonly SeededFile[]): Promise<number> =>
  inPage(
    page,
    async (digests) => {
      const held = await document.querySelector<P2PMesh>('p2p-mesh')!.mesh.held(digests);
      return held.filter((where) => where === 'store').length;
    },
    files.map(({ digest }) => digest as Digest),
  );

/** Waits until all that was loaded is on the disk, as far as there is room. */
export const settled = (page: AnyPage, { path }: Pick<SeededFile, 'path'>): Promise<void> =>
  inPage(
    page,
    async (path) => {
      await document.querySelector<P2PMesh>('p2p-mesh')!.mesh.prefetch(path);
    },
    path,
  );
