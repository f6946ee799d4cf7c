import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { assetHeaders } from '../../protocol/asset-cache.ts';
import type { Digest } from '../../protocol/ids.ts';
import { MAX_PART_BYTES } from '../../protocol/limits.ts';
import type { ShareableFile } from '../../protocol/page.ts';
import { etagOf, planAnswer, type AnswerPlan } from '../../sw/answer-plan.ts';
import { MAX_PIECE_BYTES } from '../../sw/limits.ts';

const DIGEST = 'ab'.repeat(32) as Digest;
const ETAG = `"${DIGEST}"`;
const fileOf = (size: number, parts: readonly Digest[] = [DIGEST]): ShareableFile => ({
  url: 'https://school.test/film.mp4',
  size,
  type: 'video/mp4',
  parts,
});

const plan = (headers: Readonly<Record<string, string>>, size = 1000, method = 'GET'): AnswerPlan =>
  planAnswer({ method, header: (name) => headers[name] ?? null }, fileOf(size));

/** Status and bytes. */
const inShort = ({ status, body }: AnswerPlan): string => (body ? `${status} ${body.start}-${body.end}` : `${status}`);

test('without a range all of it is given, described by the manifest', () => {
  assert.deepEqual(plan({}), {
    status: 200,
    headers: {
      etag: ETAG,
      'accept-ranges': 'bytes',
      'content-type': 'video/mp4',
      'x-content-type-options': 'nosniff',
      'content-length': '1000',
    },
    body: { start: 0, end: 1000 },
  });
});

test('what was kept on the disk has the same headers', () => {
  const name = { digest: DIGEST, size: 1000 };
  assert.deepEqual(plan({}).headers, assetHeaders(name, 'video/mp4'));
});

test('a range is given with its place', () => {
  const { status, headers, body } = plan({ range: 'bytes=100-199' });
  assert.deepEqual(
    [status, headers['content-range'], headers['content-length'], headers['content-type'], body],
    [206, 'bytes 100-199/1000', '100', 'video/mp4', { start: 100, end: 200 }],
  );
});

test('a range past the end tells how long the file is', () => {
  const { status, headers, body } = plan({ range: 'bytes=1000-' });
  assert.deepEqual([status, headers['content-range'], body], [416, 'bytes */1000', null]);
});

for (const [range, expected] of [
  ['bytes=0-0', '206 0-1'],
  ['bytes=999-999', '206 999-1000'],
  ['bytes=0-', '206 0-1000'],
  ['bytes=500-', '206 500-1000'],
  ['bytes=500-5000', '206 500-1000'],
  ['bytes=-1', '206 999-1000'],
  ['bytes=-1000', '206 0-1000'],
  ['bytes=-5000', '206 0-1000'],
  ['BYTES=0-4', '206 0-5'],
  ['bytes= 0-4 ', '206 0-5'],
  ['bytes=,0-4,', '206 0-5'],
  ['bytes=-0', '416'],
  ['bytes=1000-2000', '416'],
  ['bytes=0-4,6-8', '200 0-1000'],
  ['bytes=5-4', '200 0-1000'],
  ['bytes=', '200 0-1000'],
  ['bytes=-', '200 0-1000'],
  ['bytes=a-4', '200 0-1000'],
  ['bytes=1a-4', '200 0-1000'],
  ['bytes=0x1-4', '200 0-1000'],
  ['bytes=+1-4', '200 0-1000'],
  ['bytes=1.0-4', '200 0-1000'],
  ['bytes 0-4', '200 0-1000'],
  ['seconds=0-4', '200 0-1000'],
  ['', '200 0-1000'],
] as const)
  test(`"${range}" gives ${expected}`, () => assert.equal(inShort(plan({ range })), expected));

test('of a long range the first MiB is given', () => {
  const size = 10 * MAX_PIECE_BYTES;
  assert.equal(inShort(plan({ range: 'bytes=7-' }, size)), `206 7-${7 + MAX_PIECE_BYTES}`);
  assert.equal(plan({ range: 'bytes=7-' }, size).headers['content-length'], String(MAX_PIECE_BYTES));
  assert.equal(
    inShort(plan({ range: `bytes=-${2 * MAX_PIECE_BYTES}` }, size)),
    `206 ${8 * MAX_PIECE_BYTES}-${9 * MAX_PIECE_BYTES}`,
  );
});

for (const [what, headers, expected] of [
  ['of the same version goes on', { range: 'bytes=5-9', 'if-range': ETAG }, '206 5-10'],
  ['of another version begins anew', { range: 'bytes=5-9', 'if-range': '"other"' }, '200 0-1000'],
  ['of a weak version begins anew', { range: 'bytes=5-9', 'if-range': `W/${ETAG}` }, '200 0-1000'],
  ['of a date begins anew', { range: 'bytes=5-9', 'if-range': 'Sat, 28 Nov 2026 00:00:00 GMT' }, '200 0-1000'],
] as const)
  test(`a range ${what}`, () => assert.equal(inShort(plan(headers)), expected));

for (const [headers, expected] of [
  [{ 'if-none-match': ETAG }, '304'],
  [{ 'if-none-match': `W/${ETAG}` }, '304'],
  [{ 'if-none-match': `"x", ${ETAG}` }, '304'],
  [{ 'if-none-match': '*' }, '304'],
  [{ 'if-none-match': '"x"' }, '200 0-1000'],
  [{ 'if-none-match': '"x"', range: 'bytes=0-0' }, '206 0-1'],
  [{ 'if-none-match': ETAG, range: 'bytes=5000-' }, '304'],
  [{ 'if-match': ETAG }, '200 0-1000'],
  [{ 'if-match': '*' }, '200 0-1000'],
  [{ 'if-match': `W/${ETAG}` }, '412'],
  [{ 'if-match': '"x"', 'if-none-match': ETAG }, '412'],
  [{ 'if-modified-since': 'Sat, 28 Nov 2026 00:00:00 GMT' }, '200 0-1000'],
] as const)
  test(`${JSON.stringify(headers)} gives ${expected}`, () => assert.equal(inShort(plan(headers)), expected));

test('HEAD is answered with the headers of all of it, and no body; a range means nothing to it', () => {
  const { status, headers, body } = plan({ range: 'bytes=0-4' }, 1000, 'HEAD');
  assert.deepEqual([status, headers['content-length'], body], [200, '1000', null]);
  assert.equal(plan({ 'if-none-match': ETAG }, 1000, 'HEAD').status, 304);
});

test('another content has another ETag, in parts too', () => {
  const other = `${'ab'.repeat(31)}cd` as Digest;
  const tags = [[DIGEST], [other], [DIGEST, other], [other, DIGEST]].map((parts) =>
    etagOf(fileOf(2 * MAX_PART_BYTES, parts)),
  );
  assert.equal(new Set(tags.filter((_, i) => i !== 3)).size, 3);
  for (const tag of tags) assert.match(tag, /^"[\x21\x23-\x7e]+"$/);
});

/** RFC 9110, 14.1.1, 14.1.2 and 14.2, read literally: what a server that takes byte ranges one at a time answers. */
function model(header: string | null, size: number): string {
  const all = `200 0-${size}`;
  if (header === null) return all;
  const equals = header.indexOf('=');
  if (equals < 0 || header.slice(0, equals).toLowerCase() !== 'bytes') return all;
  const specs = header
    .slice(equals + 1)
    .split(',')
    .map((spec) => spec.replace(/^[\t ]+|[\t ]+$/g, ''))
    .filter((spec) => spec !== '');
  if (specs.length !== 1) return all; // 14.2: MAY ignore; more than one is ignored here
  const [spec = ''] = specs;
  const dash = spec.indexOf('-');
  if (dash < 0) return all;
  const [first, last] = [spec.slice(0, dash), spec.slice(dash + 1)];
  const isNumber = (text: string): boolean =>
    text !== '' && Array.from(text).every((digit) => digit >= '0' && digit <= '9');
  if (first === '') {
    if (!isNumber(last)) return all;
    const length = Math.min(Number(last), size);
    return length === 0 ? '416' : piece(size - length, size);
  }
  if (!isNumber(first) || (last !== '' && !isNumber(last))) return all;
  if (last !== '' && Number(last) < Number(first)) return all; // an int-range is invalid if the last is less than the first
  if (Number(first) >= size) return '416';
  return piece(Number(first), last === '' ? size : Math.min(size, Number(last) + 1));
}

const piece = (start: number, end: number): string => `206 ${start}-${Math.min(end, start + MAX_PIECE_BYTES)}`;

test('10,000 ranges are answered as RFC 9110 has it', () => {
  const size = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 40 * MAX_PIECE_BYTES }));
  const number = fc.oneof(fc.nat(25), fc.nat(50 * MAX_PIECE_BYTES), fc.constantFrom(2 ** 53, 1e30)).map(String);
  const digits = fc.oneof(
    { weight: 8, arbitrary: number },
    fc.constantFrom('', '00', '01', 'x', '+1', '-1', '1e3', '٣'),
  );
  const blank = fc.constantFrom('', '', '', ' ', '\t');
  const spec = fc
    .tuple(blank, digits, fc.constantFrom('-', '-', '-', '', '--'), digits, blank)
    .map((all) => all.join(''));
  const unit = fc.constantFrom('bytes=', 'bytes=', 'bytes=', 'Bytes=', 'bytes =', 'bytes', 'lines=', '');
  const range = fc
    .tuple(unit, fc.array(spec, { minLength: 1, maxLength: 3, size: 'small' }))
    .map(([name, specs]) => name + specs.join(','));
  fc.assert(
    fc.property(fc.option(range), size, (header, length) => {
      const headers: Record<string, string> = header === null ? {} : { range: header };
      const answer = plan(headers, length);
      assert.equal(inShort(answer), model(header, length));
      const { body } = answer;
      if (body) assert.equal(answer.headers['content-length'], String(body.end - body.start));
      if (answer.status === 206)
        assert.equal(answer.headers['content-range'], `bytes ${body!.start}-${body!.end - 1}/${length}`);
    }),
    { numRuns: 10_000 },
  );
});
