/**
 * The digest of an asset: SHA-256 over a domain tag, the size and the block hashes (the leaves).
 * The size fixes the number of leaves, so that they need no tag of their own. Empty assets have no digest.
 */
import { P2PError } from './error.ts';
import { toHex } from './hex.ts';
import { isAssetSize, type AssetName, type Digest, type Sha256 } from './ids.ts';
import { BLOCK_BYTES, HASH_BYTES, MAX_ASSET_BYTES } from './limits.ts';

const tag = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** "p2p-elements v1" and a zero: 16 bytes that no other hash of ours starts with. */
const DOMAIN_TAG = tag('p2p-elements v1\0');

/** The same of URLs, and of assets that are named by one. */
const URL_TAG = 'p2p-elements url';
const BY_URL_TAG = 'p2p-elements v1u';

export const blockCount = (size: number): number => Math.ceil(size / BLOCK_BYTES);

/** Bytes of block `index` of an asset of `size` bytes: 64 KiB, the last one shorter. */
export const blockLength = (size: number, index: number): number => Math.min(BLOCK_BYTES, size - index * BLOCK_BYTES);

/** Block `index` of an asset: a view, not a copy. */
export const blockOf = (body: Uint8Array<ArrayBuffer>, index: number): Uint8Array<ArrayBuffer> =>
  body.subarray(index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES);

/** By what an asset is looked for whose digest no origin told: SHA-256 over "p2p-elements url" and the URL, absolute and without its fragment, which is ASCII. */
export async function urlKey(url: string, sha256: Sha256): Promise<Digest> {
  return toHex(await sha256(tag(URL_TAG + url))) as Digest;
}

/** The digest of an asset that is named by its URL: SHA-256 over "p2p-elements v1u", the URL's key, and digest and size of what is there. So nobody can choose one that an origin told. */
export async function byUrlDigest(key: Digest, { digest, size }: AssetName, sha256: Sha256): Promise<Digest> {
  return toHex(await sha256(tag(`${BY_URL_TAG}${key}${digest}${size}`))) as Digest;
}

/**
 * The digest of an asset of `size` bytes with these leaves.
 * @param key of an asset that is named by its URL: the URL's
 * @throws P2PError `bad-digest` if the size is not 1 … 64 MiB or does not fit the number of leaves.
 */
export async function digestOfLeaves(size: number, leaves: Uint8Array, sha256: Sha256, key?: Digest): Promise<Digest> {
  if (!isAssetSize(size) || leaves.length !== blockCount(size) * HASH_BYTES) {
    throw new P2PError(
      'bad-digest',
      `Expected an asset of 1 to ${MAX_ASSET_BYTES} bytes and its leaves, got ${size} and ${leaves.length} bytes.`,
      { size },
    );
  }
  const input = new Uint8Array(DOMAIN_TAG.length + 8 + leaves.length);
  input.set(DOMAIN_TAG);
  new DataView(input.buffer).setBigUint64(DOMAIN_TAG.length, BigInt(size));
  input.set(leaves, DOMAIN_TAG.length + 8);
  const content = toHex(await sha256(input)) as Digest;
  return key === undefined ? content : byUrlDigest(key, { digest: content, size }, sha256);
}

/** The leaves of a whole body: 32 bytes for each block. */
export async function leavesOf(body: Uint8Array<ArrayBuffer>, sha256: Sha256): Promise<Uint8Array<ArrayBuffer>> {
  const hashes = await Promise.all(
    Array.from({ length: blockCount(body.length) }, (_, index) =>
      sha256(body.subarray(index * BLOCK_BYTES, index * BLOCK_BYTES + blockLength(body.length, index))),
    ),
  );
  const leaves = new Uint8Array(hashes.length * HASH_BYTES);
  hashes.forEach((hash, index) => leaves.set(hash, index * HASH_BYTES));
  return leaves;
}

/** Name and leaves of a whole body. @param key of an asset that is named by its URL: the URL's */
export async function nameOf(
  body: Uint8Array<ArrayBuffer>,
  sha256: Sha256,
  key?: Digest,
): Promise<AssetName & { leaves: Uint8Array<ArrayBuffer> }> {
  const leaves = await leavesOf(body, sha256);
  const digest = await digestOfLeaves(body.length, leaves, sha256, key);
  return { digest, size: body.length, ...(key !== undefined && { urlKey: key }), leaves };
}

/** Do these leaves, from whoever sent them, belong to the asset? */
export async function leavesMatch(name: AssetName, untrustedLeaves: Uint8Array, sha256: Sha256): Promise<boolean> {
  if (!isAssetSize(name.size) || untrustedLeaves.length !== blockCount(name.size) * HASH_BYTES) return false;
  return (await digestOfLeaves(name.size, untrustedLeaves, sha256, name.urlKey)) === name.digest;
}

/** Is this block, from whoever sent it, block `index` of the asset with these checked leaves? */
export async function blockMatches(
  name: AssetName,
  leaves: Uint8Array,
  index: number,
  untrustedBlock: Uint8Array<ArrayBuffer>,
  sha256: Sha256,
): Promise<boolean> {
  if (index >= blockCount(name.size) || untrustedBlock.length !== blockLength(name.size, index)) return false;
  const hash = await sha256(untrustedBlock);
  const leaf = leaves.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES);
  return hash.every((byte, i) => byte === leaf[i]);
}
