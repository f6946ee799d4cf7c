/** The STUN and TURN servers that clients are told of, with TURN credentials that expire: coturn's REST scheme. */
import { createHmac } from 'node:crypto';
import { P2PError } from '../protocol/error.ts';
import type { IncomingMessage } from 'node:http';
import type { IceGrant, IceServer } from '../protocol/signaling.ts';
import { MIN_TURN_SECRET_CHARACTERS } from './limits.ts';

/** Servers, with credentials made for one client. @param name tells clients apart in the TURN server's log and quotas: a peer id */
export type IceSource = (name: string) => IceGrant;

/** May who asks have what `/p2p/ice` gives out? TURN credentials are worth money to strangers. */
export type MayHaveICE = (request: IncomingMessage) => boolean | Promise<boolean>;

export interface TurnOptions {
  /** `turn:` and `turns:` URLs (RFC 7065). */
  readonly urls: readonly string[];
  /** What the TURN server knows, too (coturn: `static-auth-secret`), as it is now. */
  readonly secret: () => string;
  /** Seconds for which credentials may be used. */
  readonly ttl: number;
  /** Milliseconds since 1970. Default: the clock. */
  readonly now?: () => number;
}

/** The same for everybody, for ever. */
export const fixedIce =
  (iceServers: readonly IceServer[]): IceSource =>
  () => ({ iceServers });

/** Servers for which no credentials expire, and TURN servers for which they do. */
export const expiringIce =
  (fixed: readonly IceServer[], { urls, secret, ttl, now = Date.now }: TurnOptions): IceSource =>
  (name) => ({
    iceServers: [...fixed, { urls, ...turnCredential(secret(), Math.floor(now() / 1000) + ttl, name) }],
    iceTTL: ttl,
  });

/**
 * draft-uberti-behave-turn-rest-00, 2.2, as coturn has it with `use-auth-secret`: the user name is when it expires, in seconds since 1970, and a name; the password is
 * Base64 of HMAC-SHA-1 over it.
 */
export function turnCredential(
  secret: string,
  expires: number,
  name: string,
): { readonly username: string; readonly credential: string } {
  const username = `${expires}:${name}`;
  return { username, credential: createHmac('sha1', secret).update(username).digest('base64') };
}

/** What a secret file holds: one line. @throws P2PError `bad-flag` */
export function parseTurnSecret(text: string): string {
  const secret = text.trim();
  // a viewer has a name and its HMAC, and may try secrets on them for as long as it likes
  if (secret.length >= MIN_TURN_SECRET_CHARACTERS && !/[\r\n]/.test(secret)) return secret;
  throw new P2PError(
    'bad-flag',
    `Expected in --turn-secret-file one line of at least ${MIN_TURN_SECRET_CHARACTERS} characters, the same as coturn's static-auth-secret. Make one with: openssl rand -hex 32`,
  );
}
