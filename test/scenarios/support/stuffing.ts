/** Long streams of a chosen bitrate from the short sample: its segments again and again, each copy with null packets of its own, so that no two are one asset. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Stage } from './stage.ts';

const PACKET_BYTES = 188;

/** ISO 13818-1, 2.4.3: sync byte, PID 0x1FFF, no adaptation field. Whoever takes the stream apart throws these packets away. */
const NULL_PACKET_HEAD = Buffer.from([0x47, 0x1f, 0xff, 0x10]);

let stamps = 0;

export interface Rendition {
  /** A media playlist of the stage's media folder, with segments of one length in transport streams. */
  readonly sample: string;
  /** Bits per second that it is to have. */
  readonly bitrate: number;
}

/** A segment that is as large as one of a better encoder. @param stamp makes it another asset than the same segment with another stamp */
export function stuffed(segment: Buffer, bytes: number, stamp: number): Buffer {
  const packet = Buffer.alloc(PACKET_BYTES, 0xff);
  NULL_PACKET_HEAD.copy(packet);
  packet.writeUInt32BE(stamp, NULL_PACKET_HEAD.length);
  const count = Math.max(1, Math.ceil((bytes - segment.length) / PACKET_BYTES));
  return Buffer.concat([segment, ...Array.from({ length: count }, () => packet)]);
}

/**
 * Writes a VOD of several renditions into the stage's media folder.
 * @param copies how often the sample is repeated; each time begins with a discontinuity
 * @returns its path in the media folder
 */
export async function writeStream(
  stage: Stage,
  name: string,
  renditions: readonly Rendition[],
  copies: number,
): Promise<string> {
  const master = ['#EXTM3U'];
  for (const [index, { sample, bitrate }] of renditions.entries()) {
    const folder = join(stage.media, sample, '..');
    const text = await readFile(join(stage.media, sample), 'utf8');
    const listed = [...text.matchAll(/^#EXTINF:([\d.]+),\n(.*)$/gm)].map(([, seconds = '', uri = '']) => ({
      seconds,
      uri,
    }));
    const bodies = await Promise.all(listed.map(({ uri }) => readFile(join(folder, uri))));
    const lines = [
      '#EXTM3U',
      '#EXT-X-VERSION:3',
      /^#EXT-X-TARGETDURATION:.*/m.exec(text)?.[0] ?? '',
      '#EXT-X-PLAYLIST-TYPE:VOD',
    ];
    for (let copy = 0; copy < copies; copy++) {
      if (copy > 0) lines.push('#EXT-X-DISCONTINUITY');
      for (const [number, { seconds }] of listed.entries()) {
        const file = `${copy}-${String(number).padStart(2, '0')}.ts`;
        const body = stuffed(bodies[number] ?? Buffer.alloc(0), (bitrate / 8) * Number(seconds), ++stamps);
        await stage.write(`${name}/v${index}/${file}`, body);
        lines.push(`#EXTINF:${seconds},`, file);
      }
    }
    await stage.write(`${name}/v${index}/index.m3u8`, [...lines, '#EXT-X-ENDLIST', ''].join('\n'));
    master.push(`#EXT-X-STREAM-INF:BANDWIDTH=${bitrate},CODECS="avc1.4d401e,mp4a.40.2"`, `v${index}/index.m3u8`);
  }
  await stage.write(`${name}/index.m3u8`, [...master, ''].join('\n'));
  return `${name}/index.m3u8`;
}
