import assert from 'node:assert/strict';
import test from 'node:test';
import { factsOf, holdsUpScripts, isDocument, mayAsk, type RequestFacts } from '../../sw/may-ask.ts';

const ORIGIN = 'https://school.test';
const ENGINE = `${ORIGIN}/p2p-engine`;
const IMAGE: RequestFacts = {
  method: 'GET',
  url: `${ORIGIN}/map.png`,
  mode: 'no-cors',
  credentials: 'include',
  destination: 'image',
  cache: 'default',
  referrer: `${ORIGIN}/`,
  referrerPolicy: 'strict-origin-when-cross-origin',
  hasAuthorization: false,
};
/** What marks the engine's requests to other origins. */
const MARK = { credentials: 'omit', referrerPolicy: 'strict-origin' };
/** An image of another origin that is read by CORS. */
const ELSEWHERE = { url: 'https://cdn.test/map.png', mode: 'cors', credentials: 'same-origin' };

for (const [may, what, facts] of [
  [true, 'an image', {}],
  [true, 'a fetch() of the page', { destination: '', mode: 'cors' }],
  [true, 'a script', { destination: 'script' }],
  [true, 'a stylesheet', { destination: 'style' }],
  [true, 'a font', { destination: 'font', mode: 'cors' }],
  [true, 'a film without range', { destination: 'video' }],
  [true, 'a request that revalidates', { cache: 'no-cache' }],
  [true, 'a request that any cache may answer', { cache: 'force-cache' }],
  [true, 'a request without a referrer', { referrer: '' }],
  [true, 'a HEAD', { method: 'HEAD' }],
  [true, 'a URL with a query', { url: `${ORIGIN}/map.png?v=1` }],
  [false, 'a POST', { method: 'POST' }],
  [true, 'another web origin by CORS', ELSEWHERE],
  [true, 'a fetch() of another web origin', { ...ELSEWHERE, destination: '' }],
  [true, 'one without credentials', { ...ELSEWHERE, destination: '', credentials: 'omit' }],
  [true, 'a page’s policy that is the engine’s', { ...ELSEWHERE, referrerPolicy: MARK.referrerPolicy }],
  [true, 'the mark of other origins at the own one', { ...MARK, mode: 'cors', destination: '' }],
  [false, 'another web origin without CORS', { ...ELSEWHERE, mode: 'no-cors' }],
  [false, 'another web origin with cookies', { ...ELSEWHERE, credentials: 'include' }],
  [false, 'another web origin with credentials of its own', { ...ELSEWHERE, hasAuthorization: true }],
  [false, 'a POST to another web origin', { ...ELSEWHERE, method: 'POST' }],
  [false, 'a frame of another web origin', { ...ELSEWHERE, destination: 'iframe' }],
  [false, 'a request of the engine to another web origin', { ...ELSEWHERE, ...MARK, destination: '' }],
  [false, 'a web origin that begins alike', { url: 'https://school.test.evil.test/map.png' }],
  [false, 'the same host on another port', { url: 'https://school.test:8443/map.png' }],
  [false, 'a navigation', { mode: 'navigate' }],
  [false, 'a reload that wants no cache', { cache: 'no-store' }],
  [false, 'a hard reload', { cache: 'reload' }],
  [false, 'a look into the cache alone', { cache: 'only-if-cached' }],
  [false, 'a request of the engine itself', { referrer: ENGINE }],
  [false, 'a request with credentials of its own', { hasAuthorization: true }],
  ...['document', 'iframe', 'frame', 'embed', 'object', 'worker', 'sharedworker', 'serviceworker', 'report'].map(
    (destination) => [false, `a ${destination}`, { destination }] as const,
  ),
] as readonly (readonly [boolean, string, Partial<RequestFacts>])[]) {
  test(`the engine ${may ? 'may' : 'may not'} be asked for ${what}`, () => {
    assert.equal(mayAsk({ ...IMAGE, ...facts }, ORIGIN, ENGINE), may);
  });
}

test('the facts of a request are read from it', () => {
  const request = new Request(`${ORIGIN}/map.png`, {
    headers: { authorization: 'Basic x' },
    cache: 'no-cache',
    referrer: '',
  });
  const facts = factsOf(request);
  assert.deepEqual(
    [facts.method, facts.url, facts.cache, facts.hasAuthorization],
    ['GET', `${ORIGIN}/map.png`, 'no-cache', true],
  );
  const elsewhere = factsOf(new Request(ELSEWHERE.url, { credentials: 'omit', referrerPolicy: 'strict-origin' }));
  assert.deepEqual(
    [elsewhere.mode, elsewhere.credentials, elsewhere.referrerPolicy],
    ['cors', 'omit', 'strict-origin'],
  );
  const plain = factsOf(new Request(`${ORIGIN}/map.png`));
  assert.equal(plain.hasAuthorization, false);
});

test('style sheets and scripts hold up the kit; images, fonts, films and fetch() do not', () => {
  assert.deepEqual(['style', 'script', 'image', 'font', 'video', 'track', ''].filter(holdsUpScripts), [
    'style',
    'script',
  ]);
});

for (const [is, what, facts] of [
  [true, 'a navigation to a folder', { mode: 'navigate', destination: 'document', url: `${ORIGIN}/v1.2/?q=a.mp4` }],
  [true, 'a navigation to a page', { mode: 'navigate', destination: 'document', url: `${ORIGIN}/a.b.html#top` }],
  [true, 'a frame', { mode: 'navigate', destination: 'iframe', url: `${ORIGIN}/frame` }],
  [false, 'a download', { mode: 'navigate', destination: 'document', url: `${ORIGIN}/film.mp4` }],
  [true, 'a worker', { mode: 'same-origin', destination: 'worker' }],
  [true, 'a shared worker', { mode: 'same-origin', destination: 'sharedworker' }],
  [false, 'a form that is sent', { mode: 'navigate', destination: 'document', method: 'POST', url: `${ORIGIN}/` }],
  [false, 'an image', {}],
  [false, 'another web origin', { mode: 'navigate', url: 'https://cdn.test/' }],
  [false, 'a worker of another web origin', { mode: 'cors', destination: 'worker', url: 'https://cdn.test/w.js' }],
  [false, 'a request of the engine itself', { mode: 'navigate', referrer: ENGINE, url: `${ORIGIN}/` }],
] as const)
  test(`${what} is ${is ? 'a' : 'no'} document`, () =>
    assert.equal(isDocument({ ...IMAGE, ...facts }, ORIGIN, ENGINE), is));
