/** The connections to Redis: one for commands, one for what other servers say. Owned by RedisNodes. */
import { createHash } from 'node:crypto';
import { createClient } from '@redis/client';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import { connectWindow, limiterOf, type Limiter } from '../admission/connect-limiter.ts';
import { KEY_PREFIX } from './keys.ts';
import { SCRIPTS } from './scripts.ts';
import { P2PError } from '../../protocol/error.ts';
import { REDIS_ANSWER_MS, REDIS_QUEUE_MAX, REDIS_RECONNECT_MAX_MS } from '../limits.ts';
import type { Logger } from '../log.ts';

type Client = ReturnType<typeof makeClient>;

/** @param waits are commands kept until there is a connection? */
const makeClient = (url: string, waits: boolean) =>
  createClient({
    url,
    disableOfflineQueue: !waits,
    ...(waits ? {} : { commandsQueueMaxLength: REDIS_QUEUE_MAX }),
    // there is one of ours (inTime); of its own it makes an AbortSignal for each command, which lives on for seconds
    commandOptions: { timeout: 0 },
    socket: { reconnectStrategy: (failures) => Math.min(REDIS_RECONNECT_MAX_MS, 50 * 2 ** failures) },
  });

/** The time that Redis has is looked at so often, and ends with the look behind it: where this process stands still, Redis loses one look, whatever the clock says. */
const LOOKS = 5;

interface OpenCommand {
  looks: number;
  readonly reject: (error: Error) => void;
}

export class RedisLink {
  readonly #commands: Client;
  readonly #subscriber: Client;
  readonly #hashes = new Map<string, string>();
  /** Commands that are not answered yet. */
  readonly #open = new Set<OpenCommand>();
  readonly #looks: NodeJS.Timeout;
  /** Told of each command: how long it took, and whether it was answered. */
  answered: (milliseconds: number, isAnswered: boolean) => void = () => undefined;

  /**
   * @param url `redis://[user:password@]host[:port][/database]`, or `rediss://` for TLS
   * @param ready called whenever commands can be sent (again)
   * @throws P2PError `bad-flag`
   */
  constructor(url: string, log?: Logger, ready: () => void = () => undefined) {
    try {
      // what can't be said now is not said later: by then it is no longer so
      this.#commands = makeClient(url, false);
      this.#subscriber = makeClient(url, true);
    } catch (error) {
      throw new P2PError(
        'bad-flag',
        `Expected the URL of a Redis server such as redis://127.0.0.1:6379, but it can't be used: ${reasonOf(error)}.`,
      );
    }
    this.#looks = setInterval(() => this.#look(), REDIS_ANSWER_MS / LOOKS).unref();
    for (const client of [this.#commands, this.#subscriber]) {
      let last = '';
      client.on('error', (error: unknown) => {
        // it is told once for each reason, not with each attempt
        if (reasonOf(error) !== last) log?.warn({ err: error }, 'Redis can not be reached');
        last = reasonOf(error);
      });
      client.on('ready', () => (last = ''));
      // tries until it is closed, which rejects it
      client.connect().catch(() => undefined);
    }
    this.#commands.on('ready', () => {
      // before all else: a script that Redis did not know would run behind what was sent after it
      for (const script of SCRIPTS) this.#commands.sendCommand(['SCRIPT', 'LOAD', script]).catch(() => undefined);
      ready();
    });
  }

  /** Runs a script of `scripts.ts`. @throws where there is no answer in REDIS_ANSWER_MS */
  async run(script: string, args: readonly string[]): Promise<unknown> {
    const hash = this.#hashes.get(script) ?? createHash('sha1').update(script).digest('hex');
    this.#hashes.set(script, hash);
    try {
      return await this.#timed(this.#commands.sendCommand(['EVALSHA', hash, '0', ...args]));
    } catch (error) {
      if (!reasonOf(error).startsWith('NOSCRIPT')) throw error;
      return this.#timed(this.#commands.sendCommand(['EVAL', script, '0', ...args]));
    }
  }

  /** @returns how many servers listen there */
  publish(channel: string, text: string): Promise<number> {
    return this.#timed(this.#commands.publish(channel, text));
  }

  /** Counts new connections by address for all servers. Rejects where there is no answer in REDIS_ANSWER_MS. */
  limiter(perSecond: number): Limiter {
    const { keyPrefix, ...window } = connectWindow(perSecond);
    const limiter = limiterOf(
      new RateLimiterRedis({
        storeClient: this.#commands,
        useRedisPackage: true,
        keyPrefix: KEY_PREFIX + keyPrefix.replace('p2p:', ''),
        ...window,
      }),
    );
    return { take: (key) => this.#timed(limiter.take(key)) };
  }

  async #timed<T>(work: Promise<T>): Promise<T> {
    const startedAt = performance.now();
    let isAnswered = false;
    try {
      const answer = await this.#inTime(work);
      isAnswered = true;
      return answer;
    } catch (error) {
      isAnswered = reasonOf(error).startsWith('NOSCRIPT');
      throw error;
    } finally {
      this.answered(performance.now() - startedAt, isAnswered);
    }
  }

  /** Rejects where the answer does not come in time; what comes later is dropped. */
  #inTime<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const command: OpenCommand = { looks: 0, reject };
      this.#open.add(command);
      const answered =
        <R>(settle: (result: R) => void) =>
        (result: R): void => {
          this.#open.delete(command);
          settle(result);
        };
      work.then(answered(resolve), answered(reject));
    });
  }

  #look(): void {
    for (const command of this.#open) {
      if (++command.looks <= LOOKS) continue;
      this.#open.delete(command);
      // after what came meanwhile is read
      setImmediate(() => command.reject(new Error(`no answer in ${REDIS_ANSWER_MS} ms`)));
    }
  }

  /** Also after the connection was lost and is back. */
  async subscribe(channel: string, listener: (text: string) => void): Promise<void> {
    await this.#subscriber.subscribe(channel, listener);
  }

  /** @param listener that was subscribed: so a subscription that follows at once is one of its own */
  async unsubscribe(channel: string, listener: (text: string) => void): Promise<void> {
    await this.#subscriber.unsubscribe(channel, listener);
  }

  close(): void {
    clearInterval(this.#looks);
    this.#commands.destroy();
    this.#subscriber.destroy();
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
