import { createHash } from 'node:crypto';
import { nameOf } from '../../../protocol/digest.ts';
import type { AssetName, Sha256 } from '../../../protocol/ids.ts';
import { seededRandom } from './seeded-random.ts';

/** An asset that a test knows whole. */
export interface TestAsset {
  readonly url: string;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly name: AssetName;
  readonly leaves: Uint8Array<ArrayBuffer>;
}

export const nodeSha256: Sha256 = async (bytes) => Uint8Array.from(createHash('sha256').update(bytes).digest());

/** Bytes that differ with the seed. */
export function testBody(size: number, seed = 1): Uint8Array<ArrayBuffer> {
  const random = seededRandom(seed);
  const words = new Uint32Array(Math.ceil(size / 4));
  for (let i = 0; i < words.length; i++) words[i] = random() * 2 ** 32;
  return new Uint8Array(words.buffer, 0, size).slice();
}

export async function testAsset(url: string, size: number, seed = size): Promise<TestAsset> {
  const body = testBody(size, seed);
  const { leaves, digest } = await nameOf(body, nodeSha256);
  return { url, body, leaves, name: { digest, size } };
}
