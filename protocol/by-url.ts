/** What may be shared by its URL: RFC 9111, and only what is shown or heard. Pure. */
import { isShareable, type AnswerFacts } from './is-shareable.ts';

/** A page of HTML in an image's place is not for others. */
const SHOWN = /^(image|audio|video)\/|^text\/vtt\b|^application\/octet-stream\b/i;

/** Playlists change, and say what else is loaded. */
export const isPlaylist = (path: string): boolean => /\.(m3u8?|mpd)$/i.test(path);

/** Says the answer itself that whoever asks is given the same, for some time? What says nothing may be another for who has cookies. */
export function isForAll(path: string, answer: AnswerFacts): boolean {
  const { headers } = answer;
  const cacheControl = headers.get('cache-control') ?? '';
  const type = headers.get('content-type') ?? '';
  return (
    isShareable(answer) &&
    /(?:^|[\s,])(?:s-maxage|max-age)="?[1-9]/i.test(cacheControl) &&
    !/\bno-cache\b/i.test(cacheControl) &&
    SHOWN.test(type) &&
    !/mpegurl/i.test(type) &&
    !isPlaylist(path)
  );
}
