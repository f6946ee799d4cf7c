import type { AssetName } from '../../protocol/ids.ts';
import { formatDigestTag } from '../../protocol/playlist-tag.ts';
import type { MediaPlaylist } from './playlist.ts';

/** What becomes of a segment's digest tag: this one, none, or the one it had (of segments that are not ours we know nothing better). */
export type TagDecision = AssetName | 'none' | 'keep';

/**
 * The playlist with digest tags, each on the line before its segment's #EXTINF. All other lines stay as they are, line ends included.
 * @param decisions one for each segment
 */
export function tagPlaylist(text: string, playlist: MediaPlaylist, decisions: readonly TagDecision[]): string {
  const dropped = new Set<number>();
  const added = new Map<number, string>();
  playlist.segments.forEach((segment, index) => {
    const decision = decisions[index] ?? 'none';
    if (decision === 'keep') return;
    for (const line of segment.tagLines) dropped.add(line);
    if (decision !== 'none') added.set(segment.line, formatDigestTag(decision));
  });
  return text
    .split('\n')
    .flatMap((line, index) => {
      const tag = added.get(index);
      const end = line.endsWith('\r') ? '\r' : '';
      return [...(tag === undefined ? [] : [tag + end]), ...(dropped.has(index) ? [] : [line])];
    })
    .join('\n');
}
