import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fileOfReference, fileOfUrl, urlOfFile } from '../../server/media-path.ts';

test('the URL of a file is written as a browser writes it', () => {
  for (const name of [
    'a b.png',
    'a+b,(1)!.png',
    "it's.png",
    'ü/日本.png',
    '50%.png',
    '50%25.png',
    'a?b#c.png',
    '[x]|y.png',
    'a;b=c&d@e$.png',
  ]) {
    const typed = `/media/${name.replaceAll('%', '%25').replaceAll('?', '%3F').replaceAll('#', '%23')}`;
    assert.equal(urlOfFile(name), new URL(typed, 'http://host').pathname, name);
  }
});

test('a relative URL of a file with a colon is not taken for a scheme', () => {
  assert.equal(new URL(urlOfFile('a:b.png', ''), 'http://host/dir/').href, 'http://host/dir/a:b.png');
  assert.equal(urlOfFile('week 1/a:b.png', ''), 'week%201/a:b.png');
});

test('the URL of every legal file name leads back to it', () => {
  const part = fc
    .string({ unit: 'grapheme', minLength: 1 })
    .filter((text) => !/[/\\\0]/.test(text) && !text.startsWith('.'));
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (parts) => {
      const file = parts.join('/');
      assert.equal(fileOfUrl(urlOfFile(file).slice('/media/'.length)), file);
    }),
  );
});

test('paths that lead elsewhere name no file', () => {
  for (const path of [
    '..',
    '../x',
    'a/../b',
    '%2e%2e/x',
    'a/%2e%2e%2fx',
    '.hidden',
    'a/.git/config',
    'a//b',
    '',
    'a/',
    '%00',
    'a%5C..%5Cb',
    '%',
    '%zz',
    '%ff',
  ]) {
    assert.equal(fileOfUrl(path), undefined, path);
  }
});

test('a playlist refers to files beside it, above it and from the root, with or without a query', () => {
  assert.equal(fileOfReference('hls/low/index.m3u8', 's0.ts'), 'hls/low/s0.ts');
  assert.equal(fileOfReference('hls/low/index.m3u8', '../init.mp4?token=1'), 'hls/init.mp4');
  assert.equal(fileOfReference('hls/low/index.m3u8', '/media/other/s%200.ts'), 'other/s 0.ts');
});

test('a playlist that refers outside of the media folder refers to no file of ours', () => {
  for (const uri of [
    'https://cdn.example/s0.ts',
    '//cdn.example/media/s0.ts',
    '/elsewhere/s0.ts',
    '../../../etc/passwd',
    'data:,x',
    'http://[',
    '..%2f..%2fsecret',
  ]) {
    assert.equal(fileOfReference('hls/index.m3u8', uri), undefined, uri);
  }
});
