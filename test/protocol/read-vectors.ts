import { readFileSync } from 'node:fs';

/** Test vectors that make-vectors.mjs wrote to test/fixtures/wire. */
export const readVectors = (name: 'digests' | 'frames' | 'swarm-keys'): unknown =>
  JSON.parse(readFileSync(new URL(`../fixtures/wire/${name}.json`, import.meta.url), 'utf8'));
