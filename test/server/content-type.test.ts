import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contentType, mediaType } from '../../server/content-type.ts';

test('streaming files have the types that players expect', () => {
  const expected = {
    'x.m3u8': 'application/vnd.apple.mpegurl',
    'x.ts': 'video/mp2t',
    'x.m4s': 'video/iso.segment',
    'x.mp4': 'video/mp4',
    'X.TS': 'video/mp2t',
    'x.webp': 'image/webp',
  };
  for (const [name, type] of Object.entries(expected)) assert.equal(contentType(name), type);
});

test('text has its charset in the header and not in the manifest', () => {
  assert.equal(contentType('a.js'), 'text/javascript; charset=utf-8');
  assert.equal(mediaType('a.js'), 'text/javascript');
  assert.equal(contentType('a.vtt'), 'text/vtt; charset=utf-8');
  assert.equal(contentType('a.json'), 'application/json; charset=utf-8');
});

test('a name that says nothing is bytes, also when it is a property of every object', () => {
  for (const name of ['x', 'x.unheard-of', 'x.constructor', '.toString'])
    assert.equal(mediaType(name), 'application/octet-stream');
});
