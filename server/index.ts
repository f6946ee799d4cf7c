/** `p2p-elements/server`: the server as a library. */
export { createServer, type P2PServer, type ServerOptions } from './create-server.ts';
export { type AdmissionOptions } from './admission/admission.ts';
export { connectWindow, limiterOf, type Limiter } from './admission/connect-limiter.ts';
export { DEFAULT_LIMITS, type AdmissionLimits } from './admission/limits.ts';
export { type RefusalCounts, type RefusalReason } from './admission/refusals.ts';
export { type Subjects } from './admission/subjects.ts';
export { type TokenKeys } from './admission/token-check.ts';
export { type DigestServiceOptions } from './digest-service/digest-service.ts';
export { type AllowedOrigins } from './allowed-origins.ts';
export {
  digests,
  kit,
  playlists,
  SharedFolder,
  type KoaContext,
  type KoaMiddleware,
  type SharedFolderOptions,
} from './http/asset-middleware.ts';
export { expiringIce, type IceSource, type MayHaveICE, type TurnOptions } from './ice.ts';
export { createLog, type Logger, type LogLevel } from './log.ts';
export { MeshSwitch, type MeshSwitchOptions, type Viewer } from './mesh-switch.ts';
export { Metrics } from './metrics/metrics.ts';
export { RedisNodes, type RedisNodesOptions } from './redis/redis-nodes.ts';
export { type ServerURLs } from './server-urls.ts';
export { parseBlock, type Block } from './address.ts';
export { clientAddress, type AddressOf, type TrustedProxies } from './client-address.ts';
export { siteOf, type SiteKey, type SiteOf } from './site.ts';
export { parseSiteTable, siteByTable, type SiteTable } from './site-table.ts';
export { createSignaling, type Signaling, type SignalingOptions } from './signaling/create-signaling.ts';
export { type Claim, type Directory } from './signaling/directory.ts';
export { type SignalingObserver, type ViewerGroup } from './signaling/observer.ts';
export { type SignalingCounters } from './signaling/hub.ts';
export { MemoryDirectory } from './signaling/memory-directory.ts';
export { type ForeignSignal, type OtherNodes, type OtherNodesListener } from './signaling/other-nodes.ts';
export { type Random } from './signaling/random-picks.ts';
