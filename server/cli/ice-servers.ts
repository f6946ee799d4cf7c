import { P2PError } from '../../protocol/error.ts';
import type { IceServer } from '../../protocol/signaling.ts';
import { expiringIce, fixedIce, parseTurnSecret, type IceSource } from '../ice.ts';
import { MAX_SECRET_BYTES, TURN_TTL_SECONDS } from '../limits.ts';
import type { Logger } from '../log.ts';
import { watchFileAt } from '../watched-file.ts';

export interface IceFlags {
  readonly stun?: readonly string[];
  readonly turn?: readonly string[];
  readonly turnUsername?: string;
  readonly turnCredential?: string;
  readonly turnSecretFile?: string;
  /** Seconds. */
  readonly turnTtl?: number;
}

/** @throws P2PError `bad-flag` if TURN flags are not given as they belong together, or the secret can't be read */
export function iceOf(flags: IceFlags, log?: Logger): IceSource {
  const { stun, turn, turnUsername: username, turnCredential: credential, turnSecretFile: path, turnTtl: ttl } = flags;
  const fixed: IceServer[] = stun === undefined ? [] : [{ urls: stun }];
  const hasLogin = username !== undefined || credential !== undefined;
  if (path !== undefined && hasLogin)
    throw wrong(
      'Expected either --turn-secret-file or --turn-username and --turn-credential: credentials that expire, or one pair for everybody. Give one of the two.',
    );
  if (path === undefined && ttl !== undefined)
    throw wrong('Expected --turn-ttl with --turn-secret-file alone: other credentials do not expire. Leave it out.');
  if (turn === undefined && !hasLogin && path === undefined) return fixedIce(fixed);
  if (turn !== undefined && path !== undefined) {
    const flag = '--turn-secret-file';
    const secret = watchFileAt({ flag, path, maxBytes: MAX_SECRET_BYTES, parse: parseTurnSecret, log });
    return expiringIce(fixed, { urls: turn, secret: () => secret.value, ttl: ttl ?? TURN_TTL_SECONDS });
  }
  if (turn === undefined || username === undefined || credential === undefined)
    throw wrong(
      'Expected --turn with --turn-secret-file, or with --turn-username and --turn-credential together: browsers refuse a TURN server without both. Give all that belong together, or none.',
    );
  return fixedIce([...fixed, { urls: turn, username, credential }]);
}

const wrong = (message: string): P2PError => new P2PError('bad-flag', message);
