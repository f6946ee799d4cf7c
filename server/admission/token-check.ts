/** Checks the signatures and times of join tokens (RFC 7519). The algorithms are pinned: what a token says of itself chooses no weaker one, and `none` is none of them. */
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  jwtVerify,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
} from 'jose';
import {
  JWKS_COOLDOWN_MS,
  JWKS_MAX_AGE_MS,
  JWKS_TIMEOUT_MS,
  MIN_SECRET_BYTES,
  TOKEN_CLOCK_TOLERANCE_SECONDS,
} from './limits.ts';
import { P2PError } from '../../protocol/error.ts';
import type { RefusalReason } from './refusals.ts';
import { parseClaims, type Grant } from './token-grant.ts';

/** With what tokens are signed. A function gives what counts now: asked for each token, and cheap. */
export type TokenKeys =
  /** A secret of at least 32 bytes that whoever makes tokens has too: HS256. Of several, while one takes another's place, each opens. */
  | { readonly secret: Uint8Array | (() => readonly Uint8Array[]) }
  /** Public keys (RFC 7517), here or where they are published. */
  | { readonly jwks: JSONWebKeySet | (() => JSONWebKeySet) | URL };

export type CheckedToken =
  | { readonly ok: true; readonly grant: Grant }
  | {
      readonly ok: false;
      readonly reason: Extract<RefusalReason, 'bad-token' | 'expired-token' | 'token-keys-unreachable'>;
      /** For the log. */
      readonly detail: string;
    };

export type CheckToken = (untrusted: string) => Promise<CheckedToken>;

export const SYMMETRIC = ['HS256'];
export const ASYMMETRIC = [
  'ES256',
  'ES384',
  'ES512',
  'PS256',
  'PS384',
  'PS512',
  'RS256',
  'RS384',
  'RS512',
  'EdDSA',
  'Ed25519',
];

/**
 * @param now milliseconds since 1970
 * @throws P2PError `bad-flag` for a secret that is too short, or a key set that is none
 */
export function checkTokens(keys: TokenKeys, now: () => number = Date.now): CheckToken {
  const verify = verifier(keys);
  return async (untrusted) => {
    try {
      const { payload } = await verify(untrusted, new Date(now()));
      const grant = parseClaims(payload);
      return grant ? { ok: true, grant } : { ok: false, reason: 'bad-token', detail: 'claims' };
    } catch (error) {
      return { ok: false, ...whyNot(error) };
    }
  };
}

type Verify = (untrusted: string, currentDate: Date) => Promise<{ payload: unknown }>;

function verifier(keys: TokenKeys): Verify {
  const common = { requiredClaims: ['sub', 'exp'], clockTolerance: TOKEN_CLOCK_TOLERANCE_SECONDS };
  if ('secret' in keys) {
    const { secret } = keys;
    const secrets = typeof secret === 'function' ? secret : () => [secret];
    secrets().forEach(assertSecret);
    return (untrusted, currentDate) =>
      withAny(secrets(), (one) => jwtVerify(untrusted, one, { ...common, algorithms: SYMMETRIC, currentDate }));
  }
  const find = keySet(keys.jwks);
  return (untrusted, currentDate) => jwtVerify(untrusted, find, { ...common, algorithms: ASYMMETRIC, currentDate });
}

/** With the first of these whose signature it is. @throws what jose throws */
async function withAny<T>(
  [secret, ...others]: readonly Uint8Array[],
  verify: (secret: Uint8Array) => Promise<T>,
): Promise<T> {
  if (secret === undefined) throw new errors.JWSSignatureVerificationFailed();
  try {
    return await verify(secret);
  } catch (error) {
    if (others.length === 0 || !(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
    return withAny(others, verify);
  }
}

/** @throws P2PError `bad-flag` */
export function assertSecret(secret: Uint8Array): void {
  if (secret.length >= MIN_SECRET_BYTES) return;
  throw new P2PError(
    'bad-flag',
    `Expected a secret of at least ${MIN_SECRET_BYTES} bytes for join tokens, not ${secret.length}: shorter ones can be guessed. Make one with: openssl rand -hex 32`,
    { bytes: secret.length },
  );
}

function keySet(jwks: JSONWebKeySet | (() => JSONWebKeySet) | URL): JWTVerifyGetKey {
  if (jwks instanceof URL)
    return createRemoteJWKSet(jwks, {
      timeoutDuration: JWKS_TIMEOUT_MS,
      cooldownDuration: JWKS_COOLDOWN_MS,
      cacheMaxAge: JWKS_MAX_AGE_MS,
    });
  if (typeof jwks !== 'function') return localKeySet(jwks);
  let read = jwks();
  let find = localKeySet(read);
  return (header, token) => {
    const now = jwks();
    if (now !== read) {
      find = localKeySet(now);
      read = now;
    }
    return find(header, token);
  };
}

function localKeySet(jwks: JSONWebKeySet): JWTVerifyGetKey {
  try {
    return createLocalJWKSet(jwks);
  } catch {
    throw new P2PError('bad-flag', 'Expected a JSON Web Key Set (RFC 7517) such as { "keys": [ … ] } for join tokens.');
  }
}

/** By jose's own codes: what it says of a token may hold parts of it. */
function whyNot(error: unknown): Pick<Extract<CheckedToken, { ok: false }>, 'reason' | 'detail'> {
  if (error instanceof errors.JWTExpired) return { reason: 'expired-token', detail: error.code };
  const isTokens =
    error instanceof errors.JWTInvalid ||
    error instanceof errors.JWTClaimValidationFailed ||
    error instanceof errors.JWSInvalid ||
    error instanceof errors.JWSSignatureVerificationFailed ||
    error instanceof errors.JOSEAlgNotAllowed ||
    error instanceof errors.JOSENotSupported ||
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys;
  const detail = error instanceof errors.JOSEError ? error.code : error instanceof TypeError ? 'key' : 'unreachable';
  // a key of the wrong kind (TypeError) is the token's fault too: it named it
  return { reason: isTokens || error instanceof TypeError ? 'bad-token' : 'token-keys-unreachable', detail };
}
