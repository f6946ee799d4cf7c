import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, folderOf, run } from '../support.ts';

test("the demo's pages have a policy, and tell other origins nothing", async (t) => {
  const { url } = await run(t);
  const { headers } = await ask(url, '/');
  const policy = String(headers['content-security-policy']);
  for (const part of ["default-src 'none'", "script-src 'self'", "base-uri 'none'", "frame-ancestors 'self'"])
    assert.ok(policy.split('; ').includes(part), part);
  assert.ok(!policy.includes('unsafe'));
  assert.equal(headers['referrer-policy'], 'same-origin');
  assert.match(String(headers['permissions-policy']), /camera=\(\)/);
  assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.equal(headers['cross-origin-opener-policy'], undefined, 'plain HTTP');
  assert.equal(headers['strict-transport-security'], undefined, 'plain HTTP');
});

test('what other pages use has none of that: media, the kit, its workers, manifest and leaves', async (t) => {
  const { url } = await run(t, { media: await folderOf(t, { 'page.html': '<p>' }) });
  for (const path of ['/media/page.html', '/p2p-elements/p2p-img.js', '/p2p-sw.js', '/p2p-manifest.json', '/p2p/ice']) {
    const { headers } = await ask(url, path);
    assert.equal(headers['content-security-policy'], undefined, path);
    assert.equal(headers['referrer-policy'], undefined, path);
    assert.equal(headers['cross-origin-resource-policy'], 'cross-origin', path);
    assert.equal(headers['x-content-type-options'], 'nosniff', path);
  }
});

test("a demo of one's own gets no policy of ours", async (t) => {
  const { url } = await run(t, { demo: await folderOf(t, { 'index.html': '<script>1</script>' }) });
  const { headers, status } = await ask(url, '/');
  assert.equal(status, 200);
  assert.equal(headers['content-security-policy'], undefined);
});
