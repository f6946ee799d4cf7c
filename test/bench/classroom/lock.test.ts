import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { releaseLock, takeLock } from '../../../bench/classroom/lock.ts';
import { missing } from '../../../bench/classroom/requirements.ts';

async function lockFile(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'p2p-classroom-test-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'lock');
}

test('one at a time: a lock whose owner lives is refused, and released by its owner only', async (t) => {
  const file = await lockFile(t);
  await writeFile(file, String(process.ppid));
  assert.throws(() => takeLock(file), new RegExp(`Another classroom is going on \\(process ${process.ppid}`));
  releaseLock(file);
  assert.equal(existsSync(file), true);
});

test('a free lock is taken and released, and one whose owner is gone is taken over', async (t) => {
  const file = await lockFile(t);
  await writeFile(file, '99999999');
  takeLock(file);
  assert.equal(await readFile(file, 'utf8'), String(process.pid));
  releaseLock(file);
  assert.equal(existsSync(file), false);
  takeLock(file);
  releaseLock(file);
});

test('what is missing is said before anything is set up', async (t) => {
  const folder = join(await lockFile(t), '..');
  assert.match(missing('/no/chromium', ['hlsjs'], undefined).join('\n'), /no Chromium at \/no\/chromium/);
  assert.match(missing('/', ['p2pml'], undefined).join('\n'), /--competitors DIR.*npm install --prefix DIR/);
  assert.match(missing('/', ['p2pml'], folder).join('\n'), /lacks p2p-media-loader-core.*npm install --prefix/);
  assert.ok(!missing('/', ['p2p-elements'], undefined).join('\n').includes('competitors'));
});
