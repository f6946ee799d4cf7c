import type { AssetName } from '../../protocol/ids.ts';
import { formatDigestTag } from '../../protocol/playlist-tag.ts';
import type { Listed, MediaPlaylist } from './playlist.ts';

/** What becomes of a digest tag: this one, none, or the one that was there (of segments that are not ours we know nothing better). */
export type TagDecision = AssetName | 'none' | 'keep';

/** All that a digest tag can name. */
export const listedIn = ({ maps, segments }: MediaPlaylist): readonly Listed[] => [...maps, ...segments];

/**
 * The playlist with digest tags, each on the line before the #EXTINF of its segment or before its #EXT-X-MAP. All other lines stay as they
 * are, line ends included. What no decision is made about gets no tag.
 */
export function tagPlaylist(
  text: string,
  playlist: MediaPlaylist,
  decisions: ReadonlyMap<Listed, TagDecision>,
): string {
  const dropped = new Set<number>();
  const added = new Map<number, string>();
  for (const listed of listedIn(playlist)) {
    const decision = decisions.get(listed) ?? 'none';
    if (decision === 'keep') continue;
    for (const line of listed.tagLines) dropped.add(line);
    if (decision !== 'none') added.set(listed.line, formatDigestTag(decision));
  }
  return text
    .split('\n')
    .flatMap((line, index) => {
      const tag = added.get(index);
      const end = line.endsWith('\r') ? '\r' : '';
      return [...(tag === undefined ? [] : [tag + end]), ...(dropped.has(index) ? [] : [line])];
    })
    .join('\n');
}
