import assert from 'node:assert/strict';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { mediaFiles } from '../../../server/digests/media-files.ts';
import { folderOf } from '../support.ts';

test('files are found at any depth, in the same order everywhere', async (t) => {
  const folder = await folderOf(t, { 'b.png': 'b', 'a/z.png': 'z', 'a/b/c.png': 'c', 'B.png': 'B' });
  assert.deepEqual(await mediaFiles(folder), ['B.png', 'a/b/c.png', 'a/z.png', 'b.png']);
});

test('dotfiles, files being written, and our own manifest and leaves are not found', async (t) => {
  const folder = await folderOf(t, {
    '.htpasswd': 'x',
    '.git/config': 'x',
    's0.ts.tmp': 'x',
    'p2p-manifest.json': '{}',
    'p2p/leaves/00': 'x',
    'p2p/other.png': 'x',
    'sub/p2p-manifest.json': '{}',
  });
  assert.deepEqual(await mediaFiles(folder), ['p2p/other.png', 'sub/p2p-manifest.json']);
});

test('symbolic links are followed, but not in circles, and dead ones are left out', async (t) => {
  const elsewhere = await folderOf(t, { 'film.mp4': 'x' });
  const folder = await folderOf(t, { 'a.png': 'a' });
  await symlink(elsewhere, join(folder, 'films'));
  await symlink(folder, join(folder, 'circle'));
  await symlink(join(folder, 'a.png'), join(folder, 'same.png'));
  await symlink('/nowhere', join(folder, 'dead'));
  assert.deepEqual(await mediaFiles(folder), ['a.png', 'films/film.mp4', 'same.png']);
});

test('a folder that is not there has no files', async (t) => {
  const folder = await folderOf(t);
  await mkdir(join(folder, 'empty'));
  assert.deepEqual(await mediaFiles(folder), []);
  assert.deepEqual(await mediaFiles(join(folder, 'missing')), []);
});
