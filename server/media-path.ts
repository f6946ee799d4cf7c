/**
 * Names of files under the media folder: a relative path with `/` between its parts on our side, a percent-encoded URL path outside.
 * Nothing here touches the disk.
 */

/** URL path under which the media folder is served. */
export const MEDIA_PREFIX = '/media/';

/**
 * The URL path of a file, written as a browser writes it (WHATWG URL: `+` and `(` stay, spaces and `#` do not), so that URLs can be compared as text.
 * @param relative path below the folder, e.g. `week 1/intro.mp4`
 * @param prefix URL path of the folder, with both slashes; '' gives a relative URL
 */
export function urlOfFile(relative: string, prefix: string = MEDIA_PREFIX): string {
  const url = new URL('http://host/');
  url.pathname = relative.replaceAll('%', '%25').replaceAll('\\', '%5C');
  const path = url.pathname.slice(1);
  // "a:b.png" alone would be read as a URL with the scheme "a"
  return prefix === '' && path.split('/', 1)[0]?.includes(':') === true ? `./${path}` : prefix + path;
}

/** The file that a URL path below the media folder names, or undefined if it names none: `..`, dotfiles, bad escapes, empty parts. */
export function fileOfUrl(encoded: string): string | undefined {
  let relative: string;
  try {
    relative = decodeURIComponent(encoded);
  } catch {
    return undefined; // a malformed escape names no file
  }
  const isSafe = (part: string): boolean => part !== '' && !part.startsWith('.') && !/[\0\\]/.test(part);
  return relative.split('/').every(isSafe) ? relative : undefined;
}

/**
 * The file that a URI in a playlist means, if it is in the same folder tree; its query does not matter.
 * @param playlist relative path of the playlist
 * @param prefix URL path of the folder, with both slashes
 */
export function fileOfReference(playlist: string, uri: string, prefix: string = MEDIA_PREFIX): string | undefined {
  const base = `http://media.invalid${urlOfFile(playlist, prefix)}`;
  if (!URL.canParse(uri, base)) return undefined;
  const url = new URL(uri, base);
  if (url.host !== 'media.invalid' || !url.pathname.startsWith(prefix)) return undefined;
  return fileOfUrl(url.pathname.slice(prefix.length));
}
