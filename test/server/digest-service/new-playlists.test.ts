import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  MAX_QUERY_VARIANTS,
  NEW_PLAYLISTS_AT_ONCE,
  NEW_PLAYLISTS_PER_SECOND,
} from '../../../server/digest-service/limits.ts';
import { NewPlaylists } from '../../../server/digest-service/new-playlists.ts';

const never = (): boolean => false;
const always = (): boolean => true;

test('so many at once, then so many a second', () => {
  const playlists = new NewPlaylists(0);
  const admitted = (count: number, now: number): number =>
    Array.from({ length: count }, (_, i) => playlists.admit(`https://cdn.example/${now}/${i}`, now, never)).filter(
      Boolean,
    ).length;
  assert.equal(admitted(1000, 0), NEW_PLAYLISTS_AT_ONCE);
  assert.equal(admitted(1000, 1000), NEW_PLAYLISTS_PER_SECOND);
  assert.equal(admitted(1000, 999), 0); // a clock that was set back gives nothing
  assert.equal(admitted(1000, 1_000_000), NEW_PLAYLISTS_AT_ONCE);
});

test('of one path only so many queries, however slowly they come', () => {
  const playlists = new NewPlaylists(0);
  const admit = (i: number) => playlists.admit(`https://cdn.example/live.m3u8?x=${i}`, i * 10_000, never);
  for (let i = 0; i < MAX_QUERY_VARIANTS; i++) assert.deepEqual(admit(i), { instead: null });
  assert.equal(admit(100), false);
  assert.deepEqual(playlists.admit('https://cdn.example/other.m3u8?x=1', 1e7, never), { instead: null });
  playlists.release('https://cdn.example/live.m3u8?x=3');
  assert.deepEqual(admit(101), { instead: null });
  assert.equal(admit(102), false);
});

test('one that nobody waits for makes place', () => {
  const playlists = new NewPlaylists(0);
  const url = (i: number): string => `https://cdn.example/live.m3u8?x=${i}`;
  for (let i = 0; i < MAX_QUERY_VARIANTS; i++) playlists.admit(url(i), 0, always);
  assert.deepEqual(
    playlists.admit(url(100), 0, (other) => other === url(5)),
    { instead: url(5) },
  );
  assert.equal(
    playlists.admit(url(101), 0, (other) => other === url(5)),
    false,
  );
});
