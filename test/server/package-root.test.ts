import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../../server/package-root.ts';
import { folderOf, put } from './support.ts';

test('the package is found from its source', () => {
  assert.ok(existsSync(join(packageRoot(), 'server', 'cli.ts')));
});

test('the package is found from a built file, past other packages on the way', async (t) => {
  const folder = await folderOf(t, {
    'package.json': '{"name":"p2p-elements"}',
    'dist/package.json': '{"type":"module"}',
    'dist/cli.js': '',
  });
  assert.equal(packageRoot(pathToFileURL(join(folder, 'dist', 'cli.js')).href), folder);
});

test('files that were copied out of the package say so', async (t) => {
  const folder = await folderOf(t);
  await put(folder, { 'package.json': '{"name":"somebody-else"}' });
  assert.throws(() => packageRoot(pathToFileURL(join(folder, 'cli.js')).href), /Install the package whole/);
});
