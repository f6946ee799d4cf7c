import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { isShareable } from '../../protocol/is-shareable.ts';

const answer = (headers: Record<string, string>, status = 200, redirected = false): boolean =>
  isShareable({ status, redirected, headers: new Headers(headers) });

for (const [may, headers] of [
  [true, {}],
  [true, { 'cache-control': 'public, max-age=60' }],
  [true, { 'cache-control': 'no-cache' }],
  [true, { vary: 'Accept-Encoding' }],
  [true, { vary: 'origin, ACCEPT-ENCODING' }],
  [true, { vary: '' }],
  [false, { 'cache-control': 'private' }],
  [false, { 'cache-control': 'max-age=5, Private' }],
  [false, { 'cache-control': 'private="set-cookie"' }],
  [false, { 'cache-control': 'NO-STORE' }],
  [false, { vary: '*' }],
  [false, { vary: 'Cookie' }],
  [false, { vary: 'Accept' }],
  [false, { vary: 'Accept-Encoding, User-Agent' }],
] as const)
  test(`an answer with ${JSON.stringify(headers)} may ${may ? '' : 'not '}be shared`, () =>
    assert.equal(answer(headers), may));

for (const [may, status] of [
  [true, 200],
  [true, 206],
  [false, 203],
  [false, 304],
  [false, 404],
  [false, 0],
] as const)
  test(`status ${status} may ${may ? '' : 'not '}be shared`, () => assert.equal(answer({}, status), may));

test('what was redirected may not be shared', () => assert.equal(answer({}, 200, true), false));

/** RFC 9111, 5.2: a list of directives, names in any case; RFC 9110, 12.5.5: a list of header names or `*`. */
function model(directives: readonly string[], vary: readonly string[]): boolean {
  const names = directives.map((directive) => directive.split('=')[0]?.trim().toLowerCase());
  if (names.includes('private') || names.includes('no-store')) return false;
  return vary.every((name) => ['accept-encoding', 'origin'].includes(name.trim().toLowerCase()));
}

test('10,000 combinations of cache headers are judged as RFC 9111 has it', () => {
  const cased = (...names: string[]): fc.Arbitrary<string> =>
    fc.tuple(fc.constantFrom(...names), fc.boolean()).map(([name, upper]) => (upper ? name.toUpperCase() : name));
  const directive = cased(
    'public',
    'private',
    'private="x"',
    'no-store',
    'no-cache',
    'max-age=0',
    'max-age=31536000',
    's-maxage=5',
    'immutable',
    'must-revalidate',
    'stale-while-revalidate=9',
  );
  const field = cased('accept-encoding', 'origin', 'cookie', 'accept', 'user-agent', '*');
  const separator = fc.constantFrom(',', ', ', ' ,\t');
  fc.assert(
    fc.property(
      fc.array(directive, { maxLength: 4 }),
      fc.array(field, { maxLength: 3 }),
      separator,
      (directives, vary, comma) => {
        const headers = {
          ...(directives.length > 0 && { 'cache-control': directives.join(comma) }),
          ...(vary.length > 0 && { vary: vary.join(comma) }),
        };
        assert.equal(answer(headers), model(directives, vary), JSON.stringify(headers));
      },
    ),
    { numRuns: 10_000 },
  );
});
