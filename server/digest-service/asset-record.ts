/** What is known of an asset of another origin, and how that stands in a file: one line of JSON, then the leaves. */
import * as v from 'valibot';
import { leavesMatch } from '../../protocol/digest.ts';
import { isAssetSize, isDigest, type AssetName, type Digest } from '../../protocol/ids.ts';
import { sha256 } from '../sha256.ts';
import { MAX_RECORD_HEAD_BYTES } from './limits.ts';
import { keyOf, type RemoteAsset } from './remote-asset.ts';

export interface AssetRecord {
  readonly asset: RemoteAsset;
  readonly name: AssetName;
  readonly leaves: Uint8Array<ArrayBuffer>;
  /** Validators of the origin's answer (RFC 9110, 8.8). */
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
  /** Until when it is believed without asking again, ms since 1970. */
  readonly freshUntil: number;
}

const VERSION = 1;
const byte = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const headSchema = v.strictObject({
  version: v.literal(VERSION),
  url: v.string(),
  range: v.optional(v.strictObject({ start: byte, end: byte })),
  digest: v.custom<Digest>(isDigest),
  size: v.custom<number>(isAssetSize),
  etag: v.optional(v.string()),
  lastModified: v.optional(v.string()),
  freshUntil: byte,
});

export function writeRecord({ asset, name, leaves, etag, lastModified, freshUntil }: AssetRecord): Buffer {
  const { url, range } = asset;
  const { digest, size } = name;
  const head = { version: VERSION, url, range, digest, size, etag, lastModified, freshUntil };
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), leaves]);
}

/**
 * @param untrusted what a file held: it may have been cut short, changed, or put there by somebody else
 * @param key of the asset that it should be of
 * @returns undefined if it is not whole, of another asset, or its leaves are not those of its digest
 */
export async function parseRecord(untrusted: Uint8Array, key: string): Promise<AssetRecord | undefined> {
  const end = untrusted.subarray(0, MAX_RECORD_HEAD_BYTES).indexOf(0x0a);
  if (end < 0) return undefined;
  const parsed = v.safeParse(headSchema, jsonOf(untrusted.subarray(0, end)));
  if (!parsed.success) return undefined;
  const { url, range, digest, size, etag, lastModified, freshUntil } = parsed.output;
  const asset = { url, range };
  const name = { digest, size };
  const leaves = Uint8Array.from(untrusted.subarray(end + 1));
  if (keyOf(asset) !== key || !(await leavesMatch(name, leaves, sha256))) return undefined;
  return { asset, name, leaves, etag, lastModified, freshUntil };
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
