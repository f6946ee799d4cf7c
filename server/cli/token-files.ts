/** Reads the keys of join tokens. */
import type { JSONWebKeySet } from 'jose';
import * as v from 'valibot';
import { P2PError } from '../../protocol/error.ts';
import { assertSecret, type TokenKeys } from '../admission/token-check.ts';
import { MAX_KEY_SET_BYTES, MAX_SECRET_BYTES } from '../limits.ts';
import type { Logger } from '../log.ts';
import { readFileAt, watchFileAt } from '../watched-file.ts';

const keySet = v.object({ keys: v.pipe(v.array(v.looseObject({ kty: v.string() })), v.minLength(1)) });

const secretFile = (path: string): { readonly flag: string; readonly path: string; readonly maxBytes: number } => ({
  flag: '--auth-secret-file',
  path,
  maxBytes: MAX_SECRET_BYTES,
});

/** The secrets in a file, read once; new tokens are signed with the first. @throws P2PError `bad-flag` */
export const readSecrets = (path: string): SomeSecrets => parseSecrets(readFileAt(secretFile(path)));

/** The secrets in a file, as they are now. @throws P2PError `bad-flag` */
export function secretsAt(path: string, log?: Logger): () => SomeSecrets {
  const file = watchFileAt({ ...secretFile(path), parse: parseSecrets, log });
  return () => file.value;
}

type SomeSecrets = readonly [Uint8Array, ...Uint8Array[]];

/** One a line. */
function parseSecrets(text: string): SomeSecrets {
  const [first = '', ...others] = text.replace(/\r?\n$/, '').split(/\r?\n/);
  const secrets = [first, ...others].map((line) => new TextEncoder().encode(line));
  secrets.forEach(assertSecret);
  return secrets as unknown as SomeSecrets;
}

/** Keys in a file, as it is now, or the URL where they are published; over plain HTTP only from this machine, for who can change them lets anybody in. @throws P2PError `bad-flag` */
export function jwksAt(place: string, log?: Logger): Extract<TokenKeys, { jwks: unknown }>['jwks'] {
  if (URL.canParse(place) && /^https?:$/.test(new URL(place).protocol)) {
    const url = new URL(place);
    if (url.protocol === 'https:' || /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname)) return url;
    throw new P2PError(
      'bad-flag',
      `Expected an https: URL in --auth-jwks, not ${url.origin}: over plain HTTP anybody on the way could put in keys of their own.`,
    );
  }
  const file = watchFileAt({
    flag: '--auth-jwks',
    path: place,
    maxBytes: MAX_KEY_SET_BYTES,
    parse: (text) => parseKeySet(text, place),
    log,
  });
  return () => file.value;
}

function parseKeySet(text: string, place: string): JSONWebKeySet {
  const parsed = v.safeParse(keySet, parseJSON(text));
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
