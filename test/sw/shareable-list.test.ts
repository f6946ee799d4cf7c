import assert from 'node:assert/strict';
import test from 'node:test';
import type { Digest } from '../../protocol/ids.ts';
import type { ShareableFile } from '../../protocol/page.ts';
import { MAX_PAGES, MAX_SILENT_PAGES, MAX_SILENT_VISITS } from '../../sw/limits.ts';
import { ShareableList } from '../../sw/shareable-list.ts';
import { FakeCaches } from './fake-caches.ts';

const fileOf = (url: string): ShareableFile => ({
  url,
  size: 3,
  type: 'image/png',
  parts: ['ab'.repeat(32) as Digest],
});

const listOf = (caches: FakeCaches): ShareableList => new ShareableList(caches.asStorage());

test('before it is read from the cache the answer is open, afterwards it is yes or no', async () => {
  const list = listOf(new FakeCaches());
  assert.equal(list.has('https://school.test/a.png'), null);
  await list.loaded;
  assert.equal(list.has('https://school.test/a.png'), false);
  await list.update('/lesson', [fileOf('https://school.test/a.png')]);
  assert.deepEqual([list.has('https://school.test/a.png'), list.has('https://school.test/b.png')], [true, false]);
});

test('what was told is known again after the worker was ended', async () => {
  const caches = new FakeCaches();
  await listOf(caches).update('/lesson', [fileOf('https://school.test/a.png')]);
  const list = listOf(caches);
  await list.loaded;
  assert.deepEqual(
    [list.has('https://school.test/a.png'), list.hasPage('/lesson'), list.hasPage('/other')],
    [true, true, false],
  );
  assert.deepEqual(list.find('https://school.test/a.png'), fileOf('https://school.test/a.png'));
});

test('a new list replaces the old one; an empty one does not', async () => {
  const list = listOf(new FakeCaches());
  await list.update('/', [fileOf('https://school.test/a.png')]);
  await list.update('/', []);
  assert.equal(list.has('https://school.test/a.png'), true);
  await list.update('/', [fileOf('https://school.test/b.png')]);
  assert.deepEqual([list.has('https://school.test/a.png'), list.has('https://school.test/b.png')], [false, true]);
});

test('it remembers the pages that were there last, and not without end', async () => {
  const list = listOf(new FakeCaches());
  for (let i = 0; i <= MAX_PAGES; i++) await list.update(`/${i}`, []);
  await list.update('/1', []);
  await list.update('/new', []);
  assert.deepEqual(
    ['/0', '/1', '/2', '/3', '/new'].map((path) => list.hasPage(path)),
    [false, true, false, true, true],
  );
});

test('a page that is forgotten stays so after the worker was ended, and leaves the URLs alone', async () => {
  const caches = new FakeCaches();
  const before = listOf(caches);
  await before.update('/lesson', [fileOf('https://school.test/a.png')]);
  await before.update('/other', []);
  await before.pageWithoutKit('/lesson');
  const list = listOf(caches);
  await list.loaded;
  assert.deepEqual(
    [list.hasPage('/lesson'), list.hasPage('/other'), list.has('https://school.test/a.png')],
    [false, true, true],
  );
});

test('without storage it works as long as the worker lives', async () => {
  const caches = new FakeCaches();
  caches.broken = true;
  const list = listOf(caches);
  await list.update('/lesson', [fileOf('https://school.test/a.png')]);
  assert.deepEqual([list.has('https://school.test/a.png'), list.hasPage('/lesson')], [true, true]);
});

test('a spoilt cache entry is as good as none', async () => {
  const caches = new FakeCaches();
  await (await caches.open('p2p-elements')).put('/p2p-elements/shareable-2.json', new Response('<html>'));
  const list = listOf(caches);
  await list.loaded;
  assert.equal(list.has('https://school.test/a.png'), false);
});

test('a site whose only page has the kit no more is unused after some visits, also if the worker is ended between them', async () => {
  const caches = new FakeCaches();
  await listOf(caches).update('/lesson', []);
  for (let visit = 1; visit <= MAX_SILENT_VISITS; visit++) {
    const list = listOf(caches);
    await list.loaded;
    assert.equal(list.isUnused, false, `before visit ${visit}`);
    await list.pageWithoutKit('/lesson');
    assert.equal(list.isUnused, visit === MAX_SILENT_VISITS);
  }
});

test('a page that has the kit after all starts the count anew', async () => {
  const list = listOf(new FakeCaches());
  for (let visit = 0; visit < 5 * MAX_SILENT_VISITS; visit++) {
    await list.pageWithoutKit('/lesson');
    await list.update('/lesson', []);
    assert.equal(list.isUnused, false);
  }
});

test('pages that never had the kit say nothing as long as others have it; many that lost it do', async () => {
  const list = listOf(new FakeCaches());
  for (let i = 0; i <= MAX_SILENT_PAGES; i++) await list.update(`/${i}`, []);
  for (let visit = 0; visit < 2 * MAX_SILENT_PAGES; visit++) await list.pageWithoutKit('/never');
  assert.equal(list.isUnused, false);
  for (let i = 0; i < MAX_SILENT_PAGES; i++) {
    assert.equal(list.isUnused, false);
    await list.pageWithoutKit(`/${i}`);
  }
  assert.equal(list.isUnused, true, 'one page is left that nobody has visited since');
});
