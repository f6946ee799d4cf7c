/** The media of the bench, generated once with ffmpeg: H.264 baseline and AAC in MPEG-TS, full of noise so that every bit is used. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { MEDIA_SECONDS, SEGMENT_SECONDS } from './options.ts';

const FRAMES_PER_SECOND = 15;
const AUDIO_KBIT = 64;

export interface Rendition {
  readonly name: string;
  /** What a viewer's `videoHeight` says. */
  readonly height: number;
  readonly width: number;
  /** Of video, audio and container together. */
  readonly kbit: number;
}

/** Small pictures: six of them are decoded by software on one machine. */
export const RENDITIONS: readonly Rendition[] = [
  { name: 'low', width: 192, height: 108, kbit: 1000 },
  { name: 'middle', width: 256, height: 144, kbit: 2000 },
  { name: 'high', width: 320, height: 180, kbit: 4000 },
];

/** The renditions of a run with one or three. */
export const renditionsOf = (count: 1 | 3): readonly Rendition[] => (count === 3 ? RENDITIONS : RENDITIONS.slice(1, 2));

const SEGMENTS = MEDIA_SECONDS / SEGMENT_SECONDS;

/** A generated segment. Numbers past the end begin anew. */
export const segmentFile = (cache: string, rendition: Rendition, number: number): string =>
  join(cache, rendition.name, `seg${number % SEGMENTS}.ts`);

export const segmentSize = (cache: string, rendition: Rendition, number: number): number =>
  statSync(segmentFile(cache, rendition, number)).size;

/** Is this the first segment of a repetition? */
export const isLoopStart = (number: number): boolean => number > 0 && number % SEGMENTS === 0;

/** Bytes of a second of it, on average. */
export function byteRate(cache: string, rendition: Rendition, seconds: number = MEDIA_SECONDS): number {
  let total = 0;
  for (let number = 0; number < seconds / SEGMENT_SECONDS; number++) total += segmentSize(cache, rendition, number);
  return total / seconds;
}

/** Makes what is missing in the folder. */
export function makeMedia(cache: string, renditions: readonly Rendition[]): void {
  for (const rendition of renditions) {
    if (existsSync(segmentFile(cache, rendition, SEGMENTS - 1))) continue;
    console.error(`Making ${MEDIA_SECONDS} s of media of ${rendition.kbit} kbit/s in ${cache} …`);
    const unfinished = join(cache, `${rendition.name}.tmp`);
    rmSync(unfinished, { recursive: true, force: true });
    mkdirSync(unfinished, { recursive: true });
    execFileSync('ffmpeg', encoding(unfinished, rendition), { stdio: ['ignore', 'ignore', 'inherit'] });
    rmSync(join(cache, rendition.name), { recursive: true, force: true });
    renameSync(unfinished, join(cache, rendition.name));
  }
}

function encoding(folder: string, { width, height, kbit }: Rendition): string[] {
  const overhead = 1.035; // MPEG-TS, measured at 2 Mbit/s
  const video = `${Math.round(kbit / overhead - AUDIO_KBIT)}k`;
  const gop = String(FRAMES_PER_SECOND * SEGMENT_SECONDS);
  const picture = `testsrc2=s=${width}x${height}:r=${FRAMES_PER_SECOND}:d=${MEDIA_SECONDS},noise=alls=70:allf=t+u,format=yuv420p`;
  return [
    ...['-y', '-v', 'error', '-f', 'lavfi', '-i', picture],
    ...['-itsoffset', '0.023219', '-f', 'lavfi', '-i', `sine=f=440:r=44100:d=${MEDIA_SECONDS}`], // AAC's priming
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-profile:v', 'baseline', '-g', gop, '-keyint_min', gop],
    ...['-sc_threshold', '0', '-b:v', video, '-minrate', video, '-maxrate', video, '-bufsize', video],
    ...['-x264-params', 'nal-hrd=cbr', '-c:a', 'aac', '-b:a', `${AUDIO_KBIT}k`, '-ac', '1'],
    ...['-f', 'hls', '-hls_time', String(SEGMENT_SECONDS), '-hls_list_size', '0'],
    ...['-hls_segment_filename', join(folder, 'seg%d.ts'), join(folder, 'index.m3u8')],
  ];
}
