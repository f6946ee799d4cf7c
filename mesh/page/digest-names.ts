/** Asks the digest service of the mesh's server what it knows of a playlist whose origin tells no digests. A module of its own, for few pages need it. */
import { DIGESTS_PATH, parseDigestList } from '../../protocol/digest-list.ts';
import { P2PError } from '../../protocol/error.ts';
import type { AssetName } from '../../protocol/ids.ts';

/** Milliseconds for an answer: the service answers within eight seconds. */
const ANSWER_MS = 12_000;

export interface DigestNames {
  /** By URL without fragment, a blank, and the range in it: `0-100` for the first hundred bytes, nothing for all of it. */
  readonly names: ReadonlyMap<string, AssetName>;
  /** Will nothing more become known soon? */
  readonly complete: boolean;
}

/**
 * @param server web origin
 * @param playlist URL
 * @throws P2PError `origin-failed` for an HTTP error (`details.status`; 4xx: there is no service, or not for this origin), `bad-message`; what fetch()
 *   throws; the signal's reason
 */
export async function namesOfPlaylist(server: string, playlist: string, signal?: AbortSignal): Promise<DigestNames> {
  const late = AbortSignal.timeout(ANSWER_MS);
  const response = await fetch(`${server}${DIGESTS_PATH}?playlist=${encodeURIComponent(playlist)}`, {
    credentials: 'omit',
    signal: signal ? AbortSignal.any([signal, late]) : late,
  });
  const { ok, status } = response;
  if (!ok) throw new P2PError('origin-failed', `The digest service of ${server} gave status ${status}.`, { status });
  const list = parseDigestList(await response.json());
  const leaves = new URL(list.leaves, response.url).href;
  const names = list.assets.map(({ url, start, digest, size }): [string, AssetName] => [
    `${url} ${start === undefined ? '' : `${start}-${start + size}`}`,
    { digest, size, leavesUrl: leaves + digest },
  ]);
  return { names: new Map(names), complete: list.complete };
}
