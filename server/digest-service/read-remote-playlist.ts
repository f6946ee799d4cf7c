import { P2PError } from '../../protocol/error.ts';
import { MAX_PLAYLIST_BYTES } from '../limits.ts';
import { parsePlaylist, type Playlist } from '../playlist/playlist.ts';
import { MAX_TARGET_MS, MIN_TARGET_MS, PLAYLIST_TIMEOUT_MS } from './limits.ts';
import type { OriginAnswer, OriginReader } from './origin-reader.ts';

export interface RemotePlaylist {
  readonly playlist: Playlist;
  /** After redirects: what its URIs are relative to. */
  readonly url: string;
  /** Its target duration (RFC 8216, 4.3.3.1), within bounds, ms. */
  readonly targetMs: number;
}

/** @throws P2PError `origin-failed` if it can't be had, or is no HLS playlist in UTF-8 of at most 4 MiB */
export async function readRemotePlaylist(
  reader: OriginReader,
  url: string,
  signal: AbortSignal,
): Promise<RemotePlaylist> {
  const answer = await reader.read({ url, followsRedirects: true, timeoutMs: PLAYLIST_TIMEOUT_MS, signal });
  try {
    if (answer.status !== 200) throw notUsable(url, `status ${answer.status}`);
    const text = await textOf(answer, url);
    const playlist = parsePlaylist(text);
    if (!playlist) throw notUsable(url, 'no HLS playlist');
    return { playlist, url: answer.url, targetMs: targetOf(text) };
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof P2PError ? error : notUsable(url, error instanceof Error ? error.message : String(error));
  } finally {
    answer.cancel();
  }
}

async function textOf({ body }: OriginAnswer, url: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > MAX_PLAYLIST_BYTES) throw notUsable(url, `more than ${MAX_PLAYLIST_BYTES} bytes`);
    chunks.push(chunk);
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
}

function targetOf(text: string): number {
  const seconds = Number(/^#EXT-X-TARGETDURATION:(\d{1,6})/m.exec(text)?.[1] ?? 0);
  return Math.min(MAX_TARGET_MS, Math.max(MIN_TARGET_MS, 1000 * seconds));
}

const notUsable = (url: string, got: string): P2PError =>
  new P2PError('origin-failed', `Expected an HLS playlist at ${url}, got ${got}.`, { url });
