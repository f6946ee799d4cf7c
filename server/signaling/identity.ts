import { createHash, randomBytes } from 'node:crypto';
import { fromHex, toHex } from '../../protocol/hex.ts';
import type { PeerId } from '../../protocol/ids.ts';
import { ID_BYTES } from '../../protocol/limits.ts';

/** A new resume secret: 32 hex digits that only its owner knows. */
export const newResume = (): string => toHex(randomBytes(ID_BYTES));

/**
 * The peer id that belongs to a resume secret: the first 16 bytes of SHA-256 over "p2p-elements peer", a zero and the secret's bytes.
 * So the server needs no memory to give a peer its id again, and nobody can claim an id from seeing it.
 */
export const peerIdOf = (resume: string): PeerId =>
  toHex(
    createHash('sha256').update('p2p-elements peer\0').update(fromHex(resume)).digest().subarray(0, ID_BYTES),
  ) as PeerId;
