import assert from 'node:assert/strict';
import test from 'node:test';
import { Documents } from '../../sw/documents.ts';
import { MAX_DOCUMENTS } from '../../sw/limits.ts';
import { nameOf } from '../../protocol/digest.ts';
import type { ShareableFile } from '../../protocol/page.ts';
import { nodeSha256 } from '../mesh/world/test-asset.ts';
import { FakeCaches } from './fake-caches.ts';

const PAGE = 'https://school.test/';
const HTML = '<!doctype html>';
const { digest, size } = await nameOf(Uint8Array.from(Buffer.from(HTML)), nodeSha256);
const listed = (url = PAGE): ShareableFile => ({ url, size, type: 'text/html', parts: [digest] });
const documentsIn = (caches: FakeCaches): Documents => new Documents(caches.asStorage(), nodeSha256);

/** An answer of the page's own origin. */
function answer(init: ResponseInit = {}, more: { redirected?: boolean; type?: string; body?: string } = {}): Response {
  const { redirected = false, type = 'basic', body = HTML } = more;
  const response = new Response(body, init);
  return Object.defineProperties(response, { type: { value: type }, redirected: { value: redirected } });
}

test('a page is given again with all its headers, also after the worker was ended', async () => {
  const caches = new FakeCaches();
  const csp = { 'content-security-policy': "default-src 'self'", 'content-type': 'text/html' };
  await documentsIn(caches).keep(listed(), answer({ headers: csp }));
  const documents = documentsIn(caches);
  const found = await documents.find(PAGE);
  assert.equal(await found?.text(), HTML);
  assert.equal(found?.headers.get('content-security-policy'), "default-src 'self'");
  assert.deepEqual([await documents.has(listed()), await documents.has(listed(`${PAGE}other`))], [true, false]);
});

for (const [what, response] of [
  ['an error', answer({ status: 404 })],
  ['what must not be stored', answer({ headers: { 'cache-control': 'max-age=0, No-Store' } })],
  ['what is for one viewer', answer({ headers: { 'cache-control': 'private, max-age=60' } })],
  ['what was redirected', answer({}, { redirected: true })],
  ['what the page may not read', answer({}, { type: 'opaque' })],
  ['what is not as listed, as where it depends on a cookie,', answer({}, { body: '<p>Hello Ann!' })],
] as const)
  test(`${what} is not kept, nor held in memory`, async () => {
    const documents = documentsIn(new FakeCaches());
    await documents.keep(listed(), response);
    assert.equal(await documents.has(listed()), false);
    assert.equal((await response.body?.getReader().read())?.done, true);
  });

test('of another version it is there when the origin is gone, but not as listed', async () => {
  const documents = documentsIn(new FakeCaches());
  await documents.keep(listed(), answer());
  const newer = { ...listed(), size: size + 1 };
  assert.deepEqual([await documents.has(newer), await (await documents.find(PAGE))?.text()], [false, HTML]);
});

test('the oldest goes first', async () => {
  const documents = documentsIn(new FakeCaches());
  for (let i = 0; i <= MAX_DOCUMENTS; i++) await documents.keep(listed(`${PAGE}${i}`), answer());
  assert.deepEqual(
    [
      await documents.has(listed(`${PAGE}0`)),
      await documents.has(listed(`${PAGE}1`)),
      await documents.has(listed(`${PAGE}${MAX_DOCUMENTS}`)),
    ],
    [false, true, true],
  );
});

test('without storage nothing is kept, and nothing fails', async () => {
  const caches = new FakeCaches();
  caches.broken = true;
  const documents = documentsIn(caches);
  await documents.keep(listed(), answer());
  assert.equal(await documents.has(listed()), false);
});
