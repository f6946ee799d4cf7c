/** `p2p-elements/server`: the server as a library. */
export { createServer, type P2PServer, type ServerOptions } from './create-server.ts';
export { type AllowedOrigins } from './allowed-origins.ts';
export { createLog, type Logger, type LogLevel } from './log.ts';
export { RedisNodes, type RedisNodesOptions } from './redis/redis-nodes.ts';
export { type ServerURLs } from './server-urls.ts';
export { parseBlock, type Block } from './address.ts';
export { clientAddress, type AddressOf, type TrustedProxies } from './client-address.ts';
export { siteOf, type SiteKey, type SiteOf } from './site.ts';
export { parseSiteTable, siteByTable, type SiteTable } from './site-table.ts';
export { createSignaling, type Signaling, type SignalingOptions } from './signaling/create-signaling.ts';
export { type Claim, type Directory } from './signaling/directory.ts';
export { type SignalingCounters } from './signaling/hub.ts';
export { MemoryDirectory } from './signaling/memory-directory.ts';
export { type ForeignSignal, type OtherNodes, type OtherNodesListener } from './signaling/other-nodes.ts';
export { type Random } from './signaling/random-picks.ts';
