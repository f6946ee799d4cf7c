import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as limits from '../../../server/digest-service/limits.ts';
import { HASH_BYTES, BLOCK_BYTES, MAX_ASSET_BYTES } from '../../../protocol/limits.ts';

test('the documented limits are these', () => {
  assert.equal(limits.ASSETS_AT_ONCE, 4);
  assert.equal(limits.DEFAULT_CACHE_BYTES, 256 * 1024 * 1024); // the flag's help says 256mb
  assert.equal(limits.MAX_REDIRECTS, 3);
  assert.equal(limits.MAX_QUERY_VARIANTS, 16);
  assert.equal(limits.NEW_PLAYLISTS_PER_SECOND, 2);
  assert.equal(limits.MIN_FRESH_MS, 600_000);
});

test('what one playlist may list has a place in the account of all, and the leaves of the largest asset in memory', () => {
  assert.ok(limits.MAX_PLAYLIST_ASSETS + limits.PLAYLIST_WEIGHT < limits.MAX_LISTED_ASSETS);
  assert.ok((MAX_ASSET_BYTES / BLOCK_BYTES) * HASH_BYTES < limits.MAX_RECORD_BYTES);
});
