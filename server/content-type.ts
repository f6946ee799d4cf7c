import { extname } from 'node:path';
import mime from 'mime-types';

/** What streaming needs, said here rather than left to the table of whichever mime-types version is installed. */
const OURS: Readonly<Record<string, string>> = {
  '.m3u8': 'application/vnd.apple.mpegurl',
  '.ts': 'video/mp2t',
  '.m4s': 'video/iso.segment',
  '.mp4': 'video/mp4',
  '.m4a': 'audio/mp4',
  '.aac': 'audio/aac',
  '.vtt': 'text/vtt',
  '.js': 'text/javascript',
};

/** Media type of a file by its name, without parameters; `application/octet-stream` if the name says nothing. */
export function mediaType(path: string): string {
  const extension = extname(path).toLowerCase();
  return (
    (Object.hasOwn(OURS, extension) ? OURS[extension] : undefined) ?? (mime.lookup(path) || 'application/octet-stream')
  );
}

/** The same as a `content-type` header: text gets its charset. */
export function contentType(path: string): string {
  const type = mediaType(path);
  return mime.charset(type) === 'UTF-8' ? `${type}; charset=utf-8` : type;
}
