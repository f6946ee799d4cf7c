/** Where the engine keeps assets in the Cache API, so that a service worker finds them too. */
import { isDigest, type AssetName } from './ids.ts';

/** Another number once bodies or keys mean something else: what an older version kept is then deleted. */
export const ASSET_CACHE = 'p2p-elements-assets-1';

const KEY = /\/p2p-elements\/assets\/([0-9a-f]{64})-(\d{1,10})$/;

/** Headers of a body that is an asset: kept with it, so that it is an answer as it is. */
export const assetHeaders = ({ digest, size }: AssetName, type: string): Record<string, string> => ({
  etag: `"${digest}"`,
  'accept-ranges': 'bytes',
  'content-type': type,
  'x-content-type-options': 'nosniff',
  'content-length': String(size),
});

/** Key of a body: nobody answers this path, it only has to be a URL. */
export const assetKey = ({ digest, size }: AssetName): string => `/p2p-elements/assets/${digest}-${size}`;

/** Null: not one of ours. */
export function nameOfKey(url: string): AssetName | null {
  const [, digest, size] = KEY.exec(url) ?? [];
  return isDigest(digest) ? { digest, size: Number(size) } : null;
}
