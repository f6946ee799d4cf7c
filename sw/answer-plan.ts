/** What the answer to a request for a listed file looks like: status, headers and which bytes. Pure; RFC 9110, sections 13 to 15. */
import type { ByteRange, ShareableFile } from '../protocol/page.ts';
import { MAX_PIECE_BYTES } from './limits.ts';

/** The part of a request that decides. Header names are in lower case. */
export interface Asked {
  readonly method: string;
  readonly header: (name: string) => string | null;
}

export interface AnswerPlan {
  readonly status: 200 | 206 | 304 | 412 | 416;
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes `[start, end)` of the file; null: no body. */
  readonly body: ByteRange | null;
}

/** @param mostBytes of a part. Default: what a worker can give piece by piece. The preconditions in the order of 13.2.2; those on dates are ignored, for a listed file has a digest and no date (13.1.3, 13.1.4). */
export function planAnswer({ method, header }: Asked, file: ShareableFile, mostBytes = MAX_PIECE_BYTES): AnswerPlan {
  const etag = etagOf(file);
  const common = { etag, 'accept-ranges': 'bytes' };
  const bodiless = (status: 304 | 412 | 416, headers = {}): AnswerPlan => ({
    status,
    headers: { ...common, ...headers },
    body: null,
  });
  const ifMatch = header('if-match');
  if (ifMatch !== null && !matches(ifMatch, etag, false)) return bodiless(412);
  const ifNoneMatch = header('if-none-match');
  if (ifNoneMatch !== null && matches(ifNoneMatch, etag, true)) return bodiless(304);
  const { size, type } = file;
  // Of an unknown type the browser is to look at the bytes.
  const described = { ...common, ...(type && { 'content-type': type, 'x-content-type-options': 'nosniff' }) };
  const range = method === 'GET' ? header('range') : null;
  const ifRange = header('if-range');
  const asked = range === null || (ifRange !== null && ifRange !== etag) ? 'all' : rangeOf(range, size, mostBytes);
  if (asked === 'unsatisfiable') return bodiless(416, { 'content-range': `bytes */${size}` });
  if (asked === 'all')
    return {
      status: 200,
      headers: { ...described, 'content-length': String(size) },
      body: method === 'HEAD' ? null : { start: 0, end: size },
    };
  return {
    status: 206,
    headers: {
      ...described,
      'content-length': String(asked.end - asked.start),
      'content-range': `bytes ${asked.start}-${asked.end - 1}/${size}`,
    },
    body: asked,
  };
}

/** One range (14.1.2): `FIRST-`, `FIRST-LAST` or `-LENGTH`. A list may have empty elements and blanks around its commas (5.6.1). */
const ONE_RANGE = /^bytes=[\t ,]*(?:(\d+)-(\d*)|-(\d+))[\t ,]*$/i;

/** A header that is malformed, of another unit, or of several ranges counts as none (14.2). Of a long range only the beginning is given (15.3.7): who wants more asks again, and a worker that is ended meanwhile has cut nothing short. */
function rangeOf(header: string, size: number, mostBytes: number): ByteRange | 'all' | 'unsatisfiable' {
  const match = ONE_RANGE.exec(header);
  if (!match) return 'all';
  const [, first, last, suffix] = match;
  const start = first === undefined ? Math.max(0, size - Number(suffix)) : Number(first);
  const end = last ? Number(last) + 1 : size;
  if (last && Number(last) < Number(first)) return 'all'; // malformed
  if (start >= size) return 'unsatisfiable';
  return { start, end: Math.min(end, size, start + mostBytes) };
}

/** @param weak does a weak tag match the strong one of its content? (8.8.3.2) */
function matches(tags: string, etag: string, weak: boolean): boolean {
  return tags
    .split(',')
    .map((tag) => tag.trim())
    .some((tag) => tag === '*' || (weak ? tag.replace(/^W\//, '') : tag) === etag);
}

/** Strong: other bytes have another one. */
export const etagOf = ({ parts }: ShareableFile): string =>
  parts.length === 1 ? `"${parts[0]}"` : `"${parts.map((digest) => digest.slice(0, 16)).join('')}"`;
