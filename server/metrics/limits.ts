/** Buckets of the histograms, seconds: where each number of docs/metrics.md would change what an operator does. */

/** Joins: a millisecond here, with Redis several, and 0.5 s where it does not answer. */
export const JOIN_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** Redis answers: under a millisecond on one machine; past 0.5 s it counts as away. */
export const REDIS_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5];

/** First frames: 0.3 s are the most that the mesh may cost; past 10 s few still wait. */
export const FIRST_FRAME_SECONDS = [0.1, 0.2, 0.35, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 20, 60];
