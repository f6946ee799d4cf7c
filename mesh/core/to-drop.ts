import type { AssetName, Digest } from '../../protocol/ids.ts';

/**
 * What has to go so that there are so many bytes fewer: the least recently used first; what is needed only where all else is not enough.
 * @param assets in order of use
 */
export function toDrop<Asset extends AssetName>(
  assets: ReadonlyMap<Digest, Asset>,
  bytes: number,
  needed: ReadonlySet<Digest>,
): readonly Asset[] {
  const gone: Asset[] = [];
  for (const last of [false, true])
    for (const asset of assets.values()) {
      if (bytes <= 0) return gone;
      if (needed.has(asset.digest) !== last) continue;
      bytes -= asset.size;
      gone.push(asset);
    }
  return gone;
}
