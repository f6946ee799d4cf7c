import { hash, randomFillSync } from 'node:crypto';
import type { PeerId } from '../../protocol/ids.ts';
import { ID_BYTES } from '../../protocol/limits.ts';

/** Secrets drawn at a time: the call for random bytes costs more than the bytes. */
const SECRETS_AT_ONCE = 256;

const drawn = Buffer.alloc(ID_BYTES * SECRETS_AT_ONCE);
let used = drawn.length;

/** A new resume secret: 32 hex digits that only its owner knows. */
export function newResume(): string {
  if (used === drawn.length) {
    randomFillSync(drawn);
    used = 0;
  }
  const secret = drawn.subarray(used, (used += ID_BYTES));
  const resume = secret.toString('hex');
  secret.fill(0);
  return resume;
}

/** What is hashed: the domain, then the secret, which each call writes anew. */
const DOMAIN = 'p2p-elements peer\0';
const hashed = Buffer.alloc(DOMAIN.length + ID_BYTES);
hashed.write(DOMAIN);

/**
 * The peer id that belongs to a resume secret: the first 16 bytes of SHA-256 over "p2p-elements peer", a zero and the secret's bytes.
 * So the server needs no memory to give a peer its id again, and nobody can claim an id from seeing it.
 */
export function peerIdOf(resume: string): PeerId {
  // what is no hex would leave the secret of somebody else in its place
  if (hashed.write(resume, DOMAIN.length, 'hex') !== ID_BYTES)
    throw new TypeError(`Expected a secret of ${2 * ID_BYTES} hex digits.`);
  return hash('sha256', hashed, 'hex').slice(0, 2 * ID_BYTES) as PeerId;
}
