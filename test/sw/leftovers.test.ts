import assert from 'node:assert/strict';
import test from 'node:test';
import { ASSET_CACHE } from '../../protocol/asset-cache.ts';
import { DOCUMENT_CACHE } from '../../sw/documents.ts';
import { dropOldCaches, removeAll } from '../../sw/leftovers.ts';
import { FakeCaches } from './fake-caches.ts';

async function cachesWith(...names: string[]): Promise<FakeCaches> {
  const caches = new FakeCaches();
  for (const name of names) await caches.open(name);
  return caches;
}

const OTHERS = ['workbox-precache', 'my p2p-elements'];

test('caches that no version reads any more go, those of this one and of others stay', async () => {
  const present = ['p2p-elements', ASSET_CACHE, DOCUMENT_CACHE];
  const caches = await cachesWith(...present, 'p2p-elements-assets-0', 'p2p-elements-documents-99', ...OTHERS);
  await dropOldCaches(caches.asStorage());
  assert.deepEqual(await caches.keys(), [...present, ...OTHERS]);
});

test('where the kit was given up the worker and all that it kept go', async () => {
  const caches = await cachesWith('p2p-elements', ASSET_CACHE, 'p2p-elements-assets-0', ...OTHERS);
  const gone: string[] = [];
  await removeAll({
    registration: { unregister: async () => Boolean(gone.push('worker')) },
    caches: caches.asStorage(),
    indexedDB: { deleteDatabase: (name: string) => gone.push(name) },
  });
  assert.deepEqual(gone, ['worker', 'p2p-elements']);
  assert.deepEqual(await caches.keys(), OTHERS);
});
