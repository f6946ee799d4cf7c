/** What an origin sent, request by request: its access log, read and added up. Pure. */
import { quantile, greatest } from '../statistics.ts';

export interface Served {
  /** When the response was over, milliseconds since 1970. */
  readonly end: number;
  readonly milliseconds: number;
  readonly path: string;
  readonly status: number;
  /** Headers and body. */
  readonly bytes: number;
  readonly aborted: boolean;
}

export type ServedClass = 'media' | 'playlist' | 'page' | 'leaves' | 'other';

export interface ClassTotal {
  readonly requests: number;
  readonly bytes: number;
  readonly aborted: number;
}

/** One line of an origin's stderr, if it is one of the access log. */
export function readServed(line: string): Served | undefined {
  if (!line.startsWith('{')) return undefined;
  let parsed: Record<string, unknown>;
  try {
    parsed = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined; // some other program's output
  }
  const { msg, time, milliseconds, path, status, bytes, aborted } = parsed;
  if (msg !== 'answered' || typeof time !== 'string' || typeof path !== 'string') return undefined;
  return {
    end: Date.parse(time),
    milliseconds: Number(milliseconds),
    path,
    status: Number(status),
    bytes: Number(bytes),
    aborted: aborted === true,
  };
}

export function classOf(path: string): ServedClass {
  if (/\.(?:ts|m4s|mp4)$/.test(path)) return 'media';
  if (path.endsWith('.m3u8')) return 'playlist';
  if (path.startsWith('/p2p/leaves/')) return 'leaves';
  return /\.(?:html|m?js|css)$/.test(path) ? 'page' : 'other';
}

export function totals(served: readonly Served[]): Record<ServedClass, ClassTotal> {
  const none: ClassTotal = { requests: 0, bytes: 0, aborted: 0 };
  const all: Record<ServedClass, ClassTotal> = { media: none, playlist: none, page: none, leaves: none, other: none };
  for (const { path, bytes, aborted } of served) {
    const before = all[classOf(path)];
    all[classOf(path)] = {
      requests: before.requests + 1,
      bytes: before.bytes + bytes,
      aborted: before.aborted + (aborted ? 1 : 0),
    };
  }
  return all;
}

export interface SegmentCopies {
  readonly min: number;
  readonly median: number;
  readonly max: number;
  /** Path below the media folder → bytes sent / its size. */
  readonly each: Readonly<Record<string, number>>;
}

/**
 * How often each segment that was asked for left the origin.
 * @param sizes path below the media folder → bytes
 */
export function segmentCopies(
  served: readonly Served[],
  sizes: ReadonlyMap<string, number>,
): SegmentCopies | undefined {
  const bytes = new Map<string, number>();
  for (const each of served) {
    const file = each.path.replace(/^\/media\//, '');
    if (sizes.has(file)) bytes.set(file, (bytes.get(file) ?? 0) + each.bytes);
  }
  const each = Object.fromEntries([...bytes].map(([file, sent]) => [file, sent / (sizes.get(file) ?? NaN)]));
  const copies = Object.values(each);
  const [min, middle, max] = [quantile(copies, 0), quantile(copies, 0.5), greatest(copies)];
  return min === undefined || middle === undefined || max === undefined
    ? undefined
    : { min, median: middle, max, each };
}
