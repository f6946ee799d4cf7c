import type { PeerId } from '../../protocol/ids.ts';
import { MemorySubjects, type Subjects } from '../admission/subjects.ts';
import { GIVE_PLACE, TAKE_PLACE } from './scripts.ts';

export interface RedisSubjectsOptions {
  /** Runs a script for this server. */
  readonly run: (script: string, ...args: readonly string[]) => Promise<unknown>;
  /** Redis did not answer. */
  readonly lost: (error: unknown) => void;
  readonly isThere: () => boolean;
}

/**
 * Which peers each token's subject has at all servers of one Redis. Without it each server counts its own. Holds of one peer are counted here alone: it has
 * one place in Redis, with the server that took it last.
 */
export class RedisSubjects implements Subjects {
  readonly #local = new MemorySubjects();
  readonly #options: RedisSubjectsOptions;
  /** Places that became free while Redis did not answer. */
  readonly #owed = new Map<string, readonly [subject: string, peer: PeerId]>();

  constructor(options: RedisSubjectsOptions) {
    this.#options = options;
  }

  async take(subject: string, peer: PeerId, most: number): Promise<boolean> {
    if (!(await this.#local.take(subject, peer, most))) return false;
    this.#owed.delete(keyOf(subject, peer));
    const { run, lost, isThere } = this.#options;
    if (!isThere()) return true;
    try {
      if ((await run(TAKE_PLACE, subject, peer, String(Math.min(most, MANY)))) === 1) return true;
    } catch (error) {
      lost(error); // better one too many than nobody
      return true;
    }
    this.#local.release(subject, peer);
    return false;
  }

  release(subject: string, peer: PeerId): boolean {
    const isLast = this.#local.release(subject, peer);
    if (!isLast) return false;
    const { run, lost, isThere } = this.#options;
    const key = keyOf(subject, peer);
    this.#owed.set(key, [subject, peer]);
    if (isThere()) run(GIVE_PLACE, subject, peer).then(() => this.#owed.delete(key), lost);
    return true;
  }

  /** Redis is there again: it is told who has gone, and whom we have, be they too many. */
  async heal(): Promise<void> {
    for (const [key, [subject, peer]] of this.#owed) {
      await this.#options.run(GIVE_PLACE, subject, peer);
      this.#owed.delete(key);
    }
    for (const [subject, peer] of this.#local.places())
      await this.#options.run(TAKE_PLACE, subject, peer, String(MANY));
  }
}

/** A peer's id has no space. */
const keyOf = (subject: string, peer: PeerId): string => `${peer} ${subject}`;

/** As good as any number of peers, for Lua, which knows no Infinity in text. */
const MANY = 1e9;
