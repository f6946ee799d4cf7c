/** What the digest service of a server says of a playlist whose origin tells no digests: `GET /p2p/digests?playlist=<URL>`. */
import { P2PError } from './error.ts';
import { isAssetSize, isDigest, type Digest } from './ids.ts';
import { shown } from './shown.ts';

export const DIGESTS_PATH = '/p2p/digests';

export interface DigestList {
  readonly version: 1;
  /** Where the block hashes are: a URL relative to this answer's own; a digest follows. */
  readonly leaves: string;
  /** Will nothing more become known soon? */
  readonly complete: boolean;
  readonly assets: readonly ListedDigest[];
}

export interface ListedDigest {
  /** Absolute, without fragment. */
  readonly url: string;
  /** Where it is a part of the URL: its first byte. Its last one follows from the size. */
  readonly start?: number;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

/** Assets in one answer: a day of 4 s segments is 21,600. What a longer playlist lists beyond comes from the origin. */
export const MAX_LISTED_DIGESTS = 200_000;

/** @throws P2PError `bad-message` */
export function parseDigestList(untrusted: unknown): DigestList {
  const list = untrusted as Partial<Record<keyof DigestList, unknown>> | null | undefined;
  if (
    typeof list === 'object' &&
    list?.version === 1 &&
    typeof list.leaves === 'string' &&
    typeof list.complete === 'boolean' &&
    Array.isArray(list.assets) &&
    list.assets.length <= MAX_LISTED_DIGESTS &&
    list.assets.every(isListed)
  )
    return untrusted as DigestList;
  throw new P2PError(
    'bad-message',
    `The digest service broke the protocol (${shown(untrusted)}). Is it of the page's version?`,
  );
}

function isListed(untrusted: unknown): boolean {
  const { url, start, digest, size } = (untrusted ?? {}) as Partial<Record<keyof ListedDigest, unknown>>;
  return (
    typeof url === 'string' &&
    (start === undefined || (Number.isSafeInteger(start) && (start as number) >= 0)) &&
    isDigest(digest) &&
    isAssetSize(size)
  );
}
