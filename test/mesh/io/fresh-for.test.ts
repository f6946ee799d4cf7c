import assert from 'node:assert/strict';
import test from 'node:test';
import { freshFor } from '../../../mesh/io/fresh-for.ts';

const NOW = Date.parse('2026-11-28T12:00:00Z');
const ago = (seconds: number): string => new Date(NOW - 1000 * seconds).toUTCString();

for (const [seconds, headers] of [
  [60, { 'cache-control': 'max-age=60' }],
  [60, { 'cache-control': 'Public, MAX-AGE=60' }],
  [90, { 'cache-control': 'max-age=60, s-maxage=90' }],
  [40, { 'cache-control': 'max-age=60', age: '20' }],
  [600, { 'cache-control': 'max-age=3600', date: ago(3000) }],
  [60, { 'cache-control': 'max-age=60, stale-while-revalidate=86400' }],
  [0, { 'cache-control': 'max-age=0, must-revalidate, stale-while-revalidate=86400' }],
  [0, { 'cache-control': 'no-cache, stale-if-error=86400' }],
  [0, { 'cache-control': 'NO-CACHE', 'last-modified': ago(1e7) }],
  [0, { 'last-modified': ago(1e7) }],
  [0, { 'cache-control': 'immutable' }],
  [0, { 'cache-control': 'private, max-age=60' }],
  [0, { 'cache-control': 'no-store, max-age=60' }],
  [0, { 'cache-control': 'max-age=60', date: ago(3000) }],
  [0, {}],
] as const)
  test(`${JSON.stringify(headers)} is fresh for ${seconds} s`, () => {
    const left = freshFor('https://school.test/map.png', headers, NOW);
    assert.ok(Math.abs(left - 1000 * seconds) < 1500, `${left} ms`);
  });
