/** Join tokens: who has shown which, and the places of their subjects. Owned by the Admission. */
import { hash } from 'node:crypto';
import type { PeerId } from '../../protocol/ids.ts';
import type { JoinRequest } from '../../protocol/signaling.ts';
import type { RefusalReason } from './refusals.ts';
import type { Subjects } from './subjects.ts';
import { checkTokens, type CheckToken, type TokenKeys } from './token-check.ts';
import { covers, type Grant } from './token-grant.ts';
import type { Visit } from './visit.ts';

export type TokenVerdict =
  | { readonly ok: true; readonly grant: Grant }
  | { readonly ok: false; readonly reason: RefusalReason; readonly detail?: string };

export class TokenDoor {
  readonly #check: CheckToken;
  readonly #subjects: Subjects;
  readonly #today: () => number;

  /** @param today milliseconds since 1970 @throws P2PError `bad-flag` for keys that are none */
  constructor(keys: TokenKeys, subjects: Subjects, today: () => number) {
    this.#check = checkTokens(keys, today);
    this.#subjects = subjects;
    this.#today = today;
  }

  /** Judges a join. The token of the latest one that was let in counts until it ends, also for those that bring none or the same: whoever is in does not depend on a key that is taken back, or can't be had, meanwhile. */
  async judge(visit: Visit, peer: PeerId, { token, swarms }: JoinRequest): Promise<TokenVerdict> {
    const isKnown = token === undefined || (visit.grant !== null && digestOf(token) === visit.token);
    const shown = isKnown ? this.#shown(visit) : await this.#check(token);
    if (!shown.ok) return shown;
    const { grant } = shown;
    if (swarms.length > 0 && !swarms.some((swarm) => covers(grant, swarm)))
      return { ok: false, reason: 'token-for-other-swarms' };
    if (!(await this.#takePlace(visit, grant, peer))) return { ok: false, reason: 'peers-of-subject' };
    if (token !== undefined) visit.token = digestOf(token);
    return shown;
  }

  #shown({ grant }: Visit): TokenVerdict {
    if (grant === null) return { ok: false, reason: 'no-token' };
    return grant.expires > this.#today() ? { ok: true, grant } : { ok: false, reason: 'expired-token' };
  }

  /** The place of the token before is given up when the new one is taken. */
  async #takePlace(visit: Visit, grant: Grant, peer: PeerId): Promise<boolean> {
    if (visit.peer !== peer || visit.grant?.subject !== grant.subject) {
      if (!(await this.#subjects.take(grant.subject, peer, grant.peers))) return false;
      this.left(visit);
      visit.peer = peer;
    }
    visit.grant = grant;
    // it may have gone while we asked, and then nobody else gives the place back
    if (visit.connection.readyState === 'closed') this.left(visit);
    return true;
  }

  /** Gives the place of a connection back. */
  left(visit: Visit): void {
    if (visit.grant !== null && visit.peer !== null) this.#subjects.release(visit.grant.subject, visit.peer);
    visit.peer = null;
  }
}

/** A token may have 4 KB. */
const digestOf = (token: string): string => hash('sha256', token, 'base64');
