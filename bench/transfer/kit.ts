/** Two pages with the kit, and one asset that goes from the first to the second by the mesh. */
import type { Page } from 'playwright-core';
import { ASSET_CACHE } from '../../protocol/asset-cache.ts';
import type { AssetName } from '../../protocol/ids.ts';
import type { Mesh } from '../../index.ts';
import { until } from '../../test/harness/until.ts';

export const PAGE = `<!doctype html><title>transfer</title>
<script type="module">
  import { mesh } from '/p2p-elements/index.js';
  mesh.configure({ worker: 'none', manifest: 'none' });
  mesh.join('transfer');
  window.mesh = mesh;
</script>`;

export interface KitTransfer {
  readonly milliseconds: number;
  readonly source: string;
  readonly bytes: number;
}

type KitWindow = Window & { mesh?: Mesh };

/** Ends the page and forgets what it kept on the disk. */
export async function emptyStore(page: Page, url: string): Promise<void> {
  await page.goto('about:blank');
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Storage.clearDataForOrigin', {
    origin: new URL(url).origin,
    storageTypes: 'cache_storage,indexeddb',
  });
  await cdp.detach();
}

/** Waits until what the page has loaded is on its disk. */
export const kept = (page: Page): Promise<boolean> =>
  until('the asset on the disk', () =>
    page.evaluate(async (name) => (await (await caches.open(name)).keys()).length > 0, ASSET_CACHE),
  );

/** Opens the page anew. Resolves when it has a neighbour. */
export async function openKit(page: Page, url: string, neighbours: number): Promise<void> {
  await page.goto(url);
  await until('a neighbour', () =>
    page.evaluate((least) => ((window as KitWindow).mesh?.stats.peers ?? -1) >= least, neighbours),
  );
}

/** Loads the asset in the page, which throws it away at once. */
export const kitTransfer = (page: Page, url: string, { digest, size }: AssetName): Promise<KitTransfer> =>
  page.evaluate(
    async ({ url, name }) => {
      const start = performance.now();
      const { body, source } = await (window as KitWindow).mesh!.load(url, { name, swarm: 'transfer' });
      return { milliseconds: performance.now() - start, source, bytes: body.byteLength };
    },
    { url, name: { digest, size } },
  );

/** Waits until the page knows of a neighbour that holds the asset. */
export const offered = (page: Page, { digest }: AssetName): Promise<boolean> =>
  until('the offer', () =>
    page.evaluate(async (digest) => (await (window as KitWindow).mesh!.held([digest]))[0] === 'neighbour', digest),
  );
