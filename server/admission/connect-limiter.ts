/** How many new connections an address may make. */
import { RateLimiterMemory, RateLimiterRes, type RateLimiterAbstract } from 'rate-limiter-flexible';
import { CONNECT_WINDOW_SECONDS } from './limits.ts';

/** Counts events by key. One for many nodes counts the same keys for all of them. */
export interface Limiter {
  /** @returns seconds after which to try again; 0: it may. Rejects where it can't be told, as when Redis is gone. */
  take(key: string): Promise<number>;
}

/**
 * A limiter of `rate-limiter-flexible`. For many nodes: `limiterOf(new RateLimiterRedis({ storeClient, ...connectWindow(2000) }))`.
 */
export const limiterOf = (limiter: RateLimiterAbstract): Limiter => ({
  take: async (key) => {
    try {
      await limiter.consume(key);
      return 0;
    } catch (reason) {
      if (reason instanceof RateLimiterRes) return Math.max(1, Math.ceil(reason.msBeforeNext / 1000));
      throw reason;
    }
  },
});

/** @param perSecond new connections of one address, on average */
export const connectWindow = (perSecond: number): { points: number; duration: number; keyPrefix: string } => ({
  points: Math.max(1, Math.round(perSecond * CONNECT_WINDOW_SECONDS)),
  duration: CONNECT_WINDOW_SECONDS,
  keyPrefix: 'p2p:connects',
});

/** For one node. Forgets an address after 10 s, so it holds no more of them than can come in that time. */
export const memoryLimiter = (perSecond: number): Limiter => limiterOf(new RateLimiterMemory(connectWindow(perSecond)));
