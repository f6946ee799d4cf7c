import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  MAX_QUERY_VARIANTS,
  NEW_PLAYLISTS_AT_ONCE,
  NEW_PLAYLISTS_AT_ONCE_PER_ADDRESS,
  NEW_PLAYLISTS_PER_SECOND,
} from '../../../server/digest-service/limits.ts';
import { NewPlaylists } from '../../../server/digest-service/new-playlists.ts';

const never = (): boolean => false;
const always = (): boolean => true;

test('so many at once, then so many a second', () => {
  const playlists = new NewPlaylists(0);
  const admitted = (count: number, now: number): number =>
    Array.from({ length: count }, (_, i) =>
      playlists.admit(`https://cdn.example/${now}/${i}`, { now, from: `${i}`, mayGo: never }),
    ).filter(Boolean).length;
  assert.equal(admitted(1000, 0), NEW_PLAYLISTS_AT_ONCE);
  assert.equal(admitted(1000, 1000), NEW_PLAYLISTS_PER_SECOND);
  assert.equal(admitted(1000, 999), 0); // a clock that was set back gives nothing
  assert.equal(admitted(1000, 1_000_000), NEW_PLAYLISTS_AT_ONCE);
});

test('of one path only so many queries, however slowly they come', () => {
  const playlists = new NewPlaylists(0);
  const admit = (i: number) =>
    playlists.admit(`https://cdn.example/live.m3u8?x=${i}`, { now: i * 10_000, from: 'a', mayGo: never });
  for (let i = 0; i < MAX_QUERY_VARIANTS; i++) assert.deepEqual(admit(i), { instead: null });
  assert.equal(admit(100), false);
  assert.deepEqual(playlists.admit('https://cdn.example/other.m3u8?x=1', { now: 1e7, from: 'a', mayGo: never }), {
    instead: null,
  });
  playlists.release('https://cdn.example/live.m3u8?x=3');
  assert.deepEqual(admit(101), { instead: null });
  assert.equal(admit(102), false);
});

test('one that nobody waits for makes place', () => {
  const playlists = new NewPlaylists(0);
  const url = (i: number): string => `https://cdn.example/live.m3u8?x=${i}`;
  const isFifth = (other: string): boolean => other === url(5);
  for (let i = 0; i < MAX_QUERY_VARIANTS; i++) playlists.admit(url(i), { now: 0, from: `${i}`, mayGo: always });
  assert.deepEqual(playlists.admit(url(100), { now: 0, from: 'a', mayGo: isFifth }), { instead: url(5) });
  assert.equal(playlists.admit(url(101), { now: 0, from: 'a', mayGo: isFifth }), false);
});

test('one address that makes playlists up leaves some to the others', () => {
  const playlists = new NewPlaylists(0);
  const admitted = (from: string, now: number): number =>
    Array.from({ length: 100 }, (_, i) =>
      playlists.admit(`https://cdn.example/${from}/${now}/${i}`, { now, from, mayGo: never }),
    ).filter(Boolean).length;
  assert.equal(admitted('a', 0), NEW_PLAYLISTS_AT_ONCE_PER_ADDRESS);
  assert.equal(admitted('b', 0), NEW_PLAYLISTS_AT_ONCE_PER_ADDRESS);
  assert.equal(admitted('a', 1000), 0);
  assert.equal(admitted('a', 2000), 1);
});
