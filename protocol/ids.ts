import { HASH_BYTES, ID_BYTES, MAX_ASSET_BYTES } from './limits.ts';
import { isHex } from './hex.ts';

/** Hashes bytes with SHA-256 (FIPS 180-4) to 32 bytes. Passed in, so that the same code runs in a browser, without `crypto.subtle`, and in Node. */
export type Sha256 = (bytes: Uint8Array<ArrayBuffer>) => Promise<Uint8Array<ArrayBuffer>>;

/** 64 lower-case hex digits: names and checks an asset. See `digest.ts`. */
export type Digest = string & { readonly brand: 'digest' };

/** 32 lower-case hex digits: one browser in the mesh. Made by the server. */
export type PeerId = string & { readonly brand: 'peer id' };

/** 32 lower-case hex digits: a swarm on the peer wire. See `swarm-key.ts`. */
export type SwarmKey = string & { readonly brand: 'swarm key' };

/** A swarm as the server knows it: a stream's URL without its query, a web origin, or a name the author chose. */
export type SwarmId = string & { readonly brand: 'swarm id' };

export const isDigest = (value: unknown): value is Digest => isHex(value, HASH_BYTES);

export const isPeerId = (value: unknown): value is PeerId => isHex(value, ID_BYTES);

/** An empty asset has no digest. */
export const isAssetSize = (size: unknown): size is number =>
  typeof size === 'number' && Number.isInteger(size) && size > 0 && size <= MAX_ASSET_BYTES;

/** What is needed to take an asset from a peer: its digest and its size in bytes. */
export interface AssetName {
  readonly digest: Digest;
  readonly size: number;
  /** Of an asset whose digest no origin told: the key of its URL, which is part of the digest, so that neither can stand for one that an origin told. */
  readonly urlKey?: Digest;
  /** Absolute URL of its block hashes, where that is not for the manifest to say. */
  readonly leavesUrl?: string;
}
