import type { PeerId } from '../../protocol/ids.ts';
import { inBatches } from '../awaitable.ts';
import { HEAL_BATCH } from '../limits.ts';
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
  /** Places that Redis takes for ours, or may: those that became free while it did not answer, too. */
  readonly #told = new Map<string, readonly [subject: string, peer: PeerId]>();

  constructor(options: RedisSubjectsOptions) {
    this.#options = options;
  }

  async take(subject: string, peer: PeerId, most: number): Promise<boolean> {
    if (!(await this.#local.take(subject, peer, most))) return false;
    const { run, lost, isThere } = this.#options;
    if (!isThere()) return true;
    const key = keyOf(subject, peer);
    this.#told.set(key, [subject, peer]);
    try {
      if ((await run(TAKE_PLACE, subject, peer, String(Math.min(most, MANY)))) === 1) return true;
    } catch (error) {
      lost(error); // better one too many than nobody
      return true;
    }
    if (this.#local.release(subject, peer)) this.#told.delete(key);
    return false;
  }

  release(subject: string, peer: PeerId): boolean {
    const isLast = this.#local.release(subject, peer);
    if (!isLast) return false;
    const { run, lost, isThere } = this.#options;
    const key = keyOf(subject, peer);
    if (isThere()) run(GIVE_PLACE, subject, peer).then(() => this.#forget(key, subject, peer), lost);
    return true;
  }

  /** Its place is given back, unless it came again meanwhile. */
  #forget(key: string, subject: string, peer: PeerId): void {
    if (!this.#local.has(subject, peer)) this.#told.delete(key);
  }

  /** Redis is there again: it is told who has gone, and whom we have, be they too many. */
  async heal(): Promise<void> {
    const { run } = this.#options;
    await inBatches([...this.#told], HEAL_BATCH, async ([key, [subject, peer]]) => {
      if (this.#local.has(subject, peer)) return;
      await run(GIVE_PLACE, subject, peer);
      this.#forget(key, subject, peer);
    });
    await inBatches([...this.#local.places()], HEAL_BATCH, ([subject, peer]) => {
      if (!this.#local.has(subject, peer)) return; // it has gone meanwhile
      this.#told.set(keyOf(subject, peer), [subject, peer]);
      return run(TAKE_PLACE, subject, peer, String(MANY));
    });
  }
}

/** A peer's id has no space. */
const keyOf = (subject: string, peer: PeerId): string => `${peer} ${subject}`;

/** As good as any number of peers, for Lua, which knows no Infinity in text. */
const MANY = 1e9;
