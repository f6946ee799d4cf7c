/** Names of what the servers keep in Redis together. They begin with the version of this layout, so that servers of two versions do not mix. */

/** Change the number when a key or a script changes its meaning. */
export const KEY_PREFIX = 'p2p:1:';

/** Where a server hears of signals for its peers, and of peers that went to another. */
export const inboxOf = (node: string): string => `${KEY_PREFIX}inbox:${node}`;

/** Where servers hear that a swarm has changed. */
export const newsOf = (swarm: string): string => `${KEY_PREFIX}news:${swarm}`;
