import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { makeToken } from '../../server/cli/token-command.ts';
import { person, type Person } from './support/person.ts';
import { KIT, stage, type Stage } from './support/stage.ts';

const LESSON = '<p2p-img src="/media/map.png"></p2p-img>\n<p2p-video src="/media/pinned.m3u8" muted></p2p-video>';

interface School {
  readonly scene: Stage;
  readonly token: (claims?: { swarms?: string[]; expires?: number; file?: string }) => Promise<string>;
  readonly open: (token: string | null) => Promise<Person>;
}

/** A server that asks for tokens. */
async function school(t: TestContext): Promise<School> {
  const folder = await mkdtemp(join(tmpdir(), 'p2p-tokens-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'secret');
  await writeFile(file, randomBytes(32).toString('hex'));
  const scene = await stage(t, ['--auth-secret-file', file]);
  let pages = 0;
  return {
    scene,
    token: ({ swarms = ['*'], expires = 3600, file: other = file } = {}) =>
      makeToken({ authSecretFile: other, swarms, subject: 'pupil', expires }, Date.now()),
    open: async (token) => {
      const viewer = await person(t);
      const attribute = token === null ? '' : ` token="${token}"`;
      await viewer.goto(await scene.page(`lesson-${++pages}`, `${KIT}\n<p2p-mesh${attribute}></p2p-mesh>\n${LESSON}`));
      return viewer;
    },
  };
}

const plays = async (viewer: Person): Promise<void> => {
  await viewer.imageShown();
  await viewer.videoBuffered();
};

test('who has a right token plays with a neighbour; who has a wrong one plays from the origin, and the page is told why', async (t) => {
  const { scene, token, open } = await school(t);
  const other = join(scene.media, 'other-secret');
  await writeFile(other, 'f'.repeat(64));
  const first = await open(await token());
  await plays(first);
  const second = await open(await token());
  await second.connected();
  await plays(second);
  assert.ok((await second.stats()).bytes.peers > 0, 'it was given something');
  for (const wrong of [null, 'nonsense', await token({ file: other }), await token({ swarms: ['elsewhere*'] })]) {
    const outsider = await open(wrong);
    await plays(outsider);
    const { peers, bytes, signaling } = await outsider.statsUntil(
      'the verdict',
      (stats) => stats.signaling === 'unreachable',
    );
    assert.deepEqual(
      { peers, fromPeers: bytes.peers, signaling },
      { peers: 0, fromPeers: 0, signaling: 'unreachable' },
    );
    assert.equal(outsider.warnings.length, 1, outsider.warnings.join('\n'));
    assert.match(outsider.warnings[0]!, /can't be used.*token.*\[unauthorized\]/);
    await outsider.chromium.close();
  }
  assert.deepEqual([first.warnings, second.warnings], [[], []]);
});

test('another token in the attribute joins again with it, without loading the page anew', async (t) => {
  const { token, open } = await school(t);
  const first = await open(await token());
  await plays(first);
  const late = await open(await token({ swarms: ['elsewhere*'] }));
  await late.statsUntil('it is turned away', (stats) => stats.signaling === 'unreachable');
  await late.page.evaluate((fresh) => document.querySelector('p2p-mesh')!.setAttribute('token', fresh), await token());
  await late.connected();
  await plays(late);
});
