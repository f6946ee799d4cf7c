/** Reads the keys of join tokens. */
import { readFileSync } from 'node:fs';
import type { JSONWebKeySet } from 'jose';
import * as v from 'valibot';
import { P2PError } from '../../protocol/error.ts';
import { assertSecret } from '../admission/token-check.ts';

const keySet = v.object({ keys: v.pipe(v.array(v.looseObject({ kty: v.string() })), v.minLength(1)) });

/** The bytes of the file, but for the line break that editors put at its end. @throws P2PError `bad-flag` */
export function readSecret(path: string): Uint8Array {
  const secret = new TextEncoder().encode(read('--auth-secret-file', path).replace(/\r?\n$/, ''));
  assertSecret(secret);
  return secret;
}

/** Keys that are here, or the URL where they are published; over plain HTTP only from this machine, for who can change them lets anybody in. @throws P2PError `bad-flag` */
export function readJWKS(place: string): JSONWebKeySet | URL {
  if (URL.canParse(place) && /^https?:$/.test(new URL(place).protocol)) {
    const url = new URL(place);
    if (url.protocol === 'https:' || /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname)) return url;
    throw new P2PError(
      'bad-flag',
      `Expected an https: URL in --auth-jwks, not ${url.origin}: over plain HTTP anybody on the way could put in keys of their own.`,
    );
  }
  const parsed = v.safeParse(keySet, parseJSON(read('--auth-jwks', place)));
  if (parsed.success) return parsed.output;
  throw new P2PError(
    'bad-flag',
    `Expected a JSON Web Key Set (RFC 7517) such as { "keys": [ … ] } in --auth-jwks, but ${place} holds none. Name a file or an https: URL that does.`,
  );
}

function parseJSON(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function read(flag: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new P2PError(
      'bad-flag',
      `Expected a file in ${flag}, but ${path} can't be read (${reason}). Check the path and its permissions.`,
    );
  }
}
