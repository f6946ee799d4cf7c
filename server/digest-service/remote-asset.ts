import { createHash } from 'node:crypto';
import type { ByteRange } from '../playlist/playlist.ts';

/** What a playlist of another origin lists: a URL, or a range of it. */
export interface RemoteAsset {
  /** Absolute, without fragment. */
  readonly url: string;
  /** Bytes `[start, end)`; undefined: all of it. */
  readonly range: ByteRange | undefined;
}

/** Names it within the service, and its file on the disk: 64 hex digits, so that no URL is a path. */
export const keyOf = ({ url, range }: RemoteAsset): string =>
  createHash('sha256')
    .update(range ? `${range.start}-${range.end} ${url}` : `- ${url}`)
    .digest('hex');
