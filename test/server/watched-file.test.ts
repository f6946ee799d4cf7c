import assert from 'node:assert/strict';
import { mkdir, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { P2PError } from '../../protocol/error.ts';
import type { Logger } from '../../server/log.ts';
import { watchFileAt, type WatchedFile } from '../../server/watched-file.ts';
import { folderOf, until } from './support.ts';

/** A file that holds a word without blanks; and what is said of it. */
async function watched(t: TestContext, path: string): Promise<{ file: WatchedFile<string>; said: string[] }> {
  const said: string[] = [];
  const note = (level: string) => (details: object, text: string) =>
    void said.push(`${level} ${text} ${JSON.stringify(details)}`);
  const file = watchFileAt({
    flag: '--word',
    path,
    maxBytes: 100,
    parse: (text) => {
      if (!/^\S+$/.test(text)) throw new P2PError('bad-flag', 'Expected a word.');
      return text;
    },
    log: { info: note('info'), error: note('error') } as unknown as Logger,
    interval: 10,
  });
  t.after(() => file.close());
  return { file, said };
}

test('a file is read again when it is written, replaced, or another is linked in its place', async (t) => {
  const folder = await folderOf(t, { a: 'first', b: 'linked' });
  const path = join(folder, 'word');
  await symlink('a', path);
  const { file, said } = await watched(t, path);
  assert.equal(file.value, 'first');
  await writeFile(path, 'second');
  await until('it was read', () => file.value === 'second');
  await symlink('b', join(folder, 'new')); // as orchestrators do it
  await rename(join(folder, 'new'), path);
  await until('it was read', () => file.value === 'linked');
  await writeFile(join(folder, 'new'), 'moved'); // as editors do it
  await rename(join(folder, 'new'), path);
  await until('it was read', () => file.value === 'moved');
  assert.equal(said.filter((line) => line.startsWith('info --word has been read again')).length, 3);
});

test('a file that is broken, gone or too large leaves what was before, says so, and is read once it is right', async (t) => {
  const folder = await folderOf(t, { word: 'first' });
  const path = join(folder, 'word');
  const { file, said } = await watched(t, path);
  for (const [what, breakIt] of [
    [/Expected a word/, () => writeFile(path, 'two words')],
    [/larger than 100 bytes/, () => writeFile(path, 'x'.repeat(101))],
    [/ENOENT/, () => unlink(path)],
    [/is no file/, () => mkdir(path)],
  ] as const) {
    await breakIt();
    await until('it is told', () => said.some((line) => line.startsWith('error') && what.test(line)));
    assert.equal(file.value, 'first');
  }
  await rm(path, { recursive: true });
  await writeFile(path, 'second');
  await until('it was read', () => file.value === 'second');
});

test('after close nothing is read', async (t) => {
  const folder = await folderOf(t, { word: 'first', other: 'first' });
  const { file } = await watched(t, join(folder, 'word'));
  const { file: other } = await watched(t, join(folder, 'other'));
  file.close();
  await writeFile(join(folder, 'word'), 'second');
  await writeFile(join(folder, 'other'), 'second');
  await until('a file beside it was read', () => other.value === 'second');
  assert.equal(file.value, 'first');
});

test('at the start what is wrong ends it', async (t) => {
  const folder = await folderOf(t, { two: 'two words', large: 'x'.repeat(101) });
  for (const [name, expected] of [
    ['missing', /Expected a text file in --word, but .*missing can't be read \(ENOENT\)/],
    ['', /is no file/],
    ['large', /larger than 100 bytes/],
    ['two', /Expected a word/],
  ] as const)
    await assert.rejects(watched(t, join(folder, name)), expected);
});
