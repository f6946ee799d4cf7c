import { hash, randomBytes } from 'node:crypto';
import type { PeerId } from '../../protocol/ids.ts';
import { ID_BYTES } from '../../protocol/limits.ts';

export interface Identity {
  readonly peer: PeerId;
  /** The secret that it belongs to: 32 hex digits that only its owner knows. */
  readonly resume: string;
}

/** Drawn at a time: each call that goes to OpenSSL after something else costs several times as much as the next. */
const DRAWN_AT_ONCE = 64;

let drawn: Identity[] = [];

/** Of a peer that has none yet. */
export function newIdentity(): Identity {
  const identity = drawn.pop();
  if (identity !== undefined) return identity;
  const secrets = randomBytes(ID_BYTES * DRAWN_AT_ONCE);
  drawn = Array.from({ length: DRAWN_AT_ONCE }, (_, index) =>
    identityOf(secrets.toString('hex', ID_BYTES * index, ID_BYTES * (index + 1))),
  );
  return newIdentity();
}

/** @throws TypeError if it is no secret */
export const identityOf = (resume: string): Identity => ({ peer: peerIdOf(resume), resume });

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
