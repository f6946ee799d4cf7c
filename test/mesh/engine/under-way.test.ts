import assert from 'node:assert/strict';
import test from 'node:test';
import { UnderWay } from '../../../mesh/engine/under-way.ts';
import { BLOCK_BYTES } from '../../../protocol/limits.ts';
import { nodeSha256, testAsset, type TestAsset } from '../world/test-asset.ts';

const wanted = (): boolean => true;

async function begun(): Promise<{ asset: TestAsset; underWay: UnderWay; progress: number[]; abandoned: () => number }> {
  const asset = await testAsset('https://school.test/a.ts', 2 * BLOCK_BYTES + 10);
  const progress: number[] = [];
  let times = 0;
  const underWay = new UnderWay(asset.name, nodeSha256, {
    progress: (loaded) => progress.push(loaded),
    abandoned: () => times++,
  });
  return { asset, underWay, progress, abandoned: () => times };
}

const block = ({ body }: TestAsset, index: number): Uint8Array<ArrayBuffer> =>
  body.slice(index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES);

/** What a promise came to, or `waiting`. */
async function settled<T>(promise: Promise<T>): Promise<T | 'waiting'> {
  const later = new Promise<'waiting'>((resolve) => setImmediate(() => resolve('waiting')));
  return Promise.race([promise, later]);
}

test('leaves are taken if they and the size are those of the digest', async () => {
  const { asset, underWay } = await begun();
  const wrong = asset.leaves.slice();
  wrong[5]! ^= 1;
  assert.equal(await underWay.takeLeaves(asset.name.size, wrong), false);
  assert.equal(await underWay.takeLeaves(asset.name.size - 1, asset.leaves), false);
  assert.equal(await underWay.takeLeaves(asset.name.size, asset.leaves.slice(32)), false);
  assert.equal(underWay.leaves, null);
  assert.equal(await underWay.takeLeaves(asset.name.size, asset.leaves), true);
});

test('a block before the leaves, of another place, or with a wrong byte is wrong; twice the same is known', async () => {
  const { asset, underWay, progress } = await begun();
  assert.equal(await underWay.takeBlock(0, block(asset, 0)), 'wrong');
  await underWay.takeLeaves(asset.name.size, asset.leaves);
  const spoilt = block(asset, 0);
  spoilt[9]! ^= 1;
  assert.equal(await underWay.takeBlock(0, spoilt), 'wrong');
  assert.equal(await underWay.takeBlock(0, block(asset, 1)), 'wrong');
  assert.equal(await underWay.takeBlock(3, block(asset, 0)), 'wrong');
  assert.equal(await underWay.takeBlock(2, block(asset, 2)), 'new');
  assert.equal(await underWay.takeBlock(0, block(asset, 0)), 'new');
  assert.equal(await underWay.takeBlock(0, block(asset, 0)), 'known');
  assert.equal(await underWay.takeBlock(1, block(asset, 1)), 'new');
  assert.deepEqual(underWay.body, asset.body);
  assert.equal(progress.at(-1), asset.name.size);
});

test('a whole body is taken if it is the asset, and fills every block', async () => {
  const { asset, underWay } = await begun();
  const spoilt = asset.body.slice();
  spoilt[0]! ^= 1;
  assert.equal(await underWay.takeWhole(spoilt), false);
  assert.equal(underWay.blocks.checked, 0);
  assert.equal(await underWay.takeWhole(asset.body), true);
  assert.deepEqual([underWay.blocks.complete, underWay.leaves], [true, asset.leaves]);
});

test('who waits gets leaves and blocks when they are there', async () => {
  const { asset, underWay } = await begun();
  const [leaves, last] = [underWay.comingLeaves(wanted), underWay.coming([1, 2], wanted)];
  assert.equal(await settled(leaves), 'waiting');
  await underWay.takeLeaves(asset.name.size, asset.leaves);
  assert.deepEqual(await leaves, asset.leaves);
  await underWay.takeBlock(0, block(asset, 0));
  assert.equal(await settled(last), 'waiting', 'another block is of no use');
  await underWay.takeBlock(2, block(asset, 2));
  assert.equal(await last, true);
  assert.deepEqual([underWay.gives(1), underWay.gives(2)], [false, true]);
});

test('who waits hears the end, also of what is not wanted any more', async () => {
  const { asset, underWay } = await begun();
  let isWanted = true;
  const dropped = underWay.coming([0], () => isWanted);
  isWanted = false;
  underWay.wake();
  assert.equal(await settled(dropped), false);
  const [leaves, first] = [underWay.comingLeaves(wanted), underWay.coming([0], wanted)];
  underWay.end();
  assert.deepEqual([await settled(leaves), await settled(first)], [null, false]);
  await underWay.takeLeaves(asset.name.size, asset.leaves);
  await underWay.takeBlock(0, block(asset, 0));
  assert.equal(await underWay.coming([0], wanted), true, 'what is there is given all the same');
});

test('nothing that is withheld is given, whether it is there or not', async () => {
  const { asset, underWay } = await begun();
  await underWay.takeLeaves(asset.name.size, asset.leaves);
  await underWay.takeBlock(0, block(asset, 0));
  const coming = underWay.coming([1], wanted);
  underWay.withhold();
  assert.equal(await settled(coming), false);
  assert.deepEqual([await underWay.coming([0], wanted), underWay.gives(0)], [false, false]);
  assert.equal(await underWay.comingLeaves(wanted), null);
});

test('leaves that are late are told as late, and given once they are there', async () => {
  const { asset, underWay } = await begun();
  const waiting = underWay.comingLeaves(wanted);
  underWay.missLeaves();
  assert.equal(await settled(waiting), 'late');
  assert.equal(await underWay.comingLeaves(wanted), 'late');
  await underWay.takeWhole(asset.body);
  assert.deepEqual(await underWay.comingLeaves(wanted), asset.leaves);
});

test('the last follower to leave is told of, each time', async () => {
  const { underWay, abandoned } = await begun();
  underWay.follow();
  underWay.follow();
  underWay.unfollow();
  assert.deepEqual([underWay.followers, abandoned()], [1, 0]);
  underWay.unfollow();
  assert.deepEqual([underWay.followers, abandoned()], [0, 1]);
});
