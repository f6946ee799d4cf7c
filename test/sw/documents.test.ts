import assert from 'node:assert/strict';
import test from 'node:test';
import { Documents } from '../../sw/documents.ts';
import { MAX_DOCUMENTS } from '../../sw/limits.ts';
import { FakeCaches } from './fake-caches.ts';

const PAGE = 'https://school.test/';

/** An answer of the page's own origin. */
function answer(init: ResponseInit = {}, more: { redirected?: boolean; type?: string } = {}): Response {
  const { redirected = false, type = 'basic' } = more;
  const response = new Response('<!doctype html>', init);
  return Object.defineProperties(response, { type: { value: type }, redirected: { value: redirected } });
}

test('a page is given again with all its headers, also after the worker was ended', async () => {
  const caches = new FakeCaches();
  const csp = { 'content-security-policy': "default-src 'self'", 'content-type': 'text/html' };
  await new Documents(caches.asStorage()).keep(PAGE, answer({ headers: csp }));
  const documents = new Documents(caches.asStorage());
  const found = await documents.find(PAGE);
  assert.equal(await found?.text(), '<!doctype html>');
  assert.equal(found?.headers.get('content-security-policy'), "default-src 'self'");
  assert.deepEqual([await documents.has(PAGE), await documents.has(`${PAGE}other`)], [true, false]);
});

for (const [what, response] of [
  ['an error', answer({ status: 404 })],
  ['what must not be stored', answer({ headers: { 'cache-control': 'max-age=0, No-Store' } })],
  ['what is for one viewer', answer({ headers: { 'cache-control': 'private, max-age=60' } })],
  ['what was redirected', answer({}, { redirected: true })],
  ['what the page may not read', answer({}, { type: 'opaque' })],
] as const)
  test(`${what} is not kept`, async () => {
    const documents = new Documents(new FakeCaches().asStorage());
    await documents.keep(PAGE, response);
    assert.equal(await documents.has(PAGE), false);
  });

test('the oldest goes first', async () => {
  const documents = new Documents(new FakeCaches().asStorage());
  for (let i = 0; i <= MAX_DOCUMENTS; i++) await documents.keep(`${PAGE}${i}`, answer());
  assert.deepEqual(
    [await documents.has(`${PAGE}0`), await documents.has(`${PAGE}1`), await documents.has(`${PAGE}${MAX_DOCUMENTS}`)],
    [false, true, true],
  );
});

test('without storage nothing is kept, and nothing fails', async () => {
  const caches = new FakeCaches();
  caches.broken = true;
  const documents = new Documents(caches.asStorage());
  await documents.keep(PAGE, answer());
  assert.equal(await documents.has(PAGE), false);
});
