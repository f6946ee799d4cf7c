export { mesh, Mesh } from './page/mesh.ts';
export { debugOnce, warnOnce } from './page/warn.ts';
export type {
  Kept,
  LoadedAsset,
  LoadOptions,
  MeshEventMap,
  MeshFace,
  MeshOptions,
  MeshStats,
  Prefetched,
  PrefetchOptions,
} from './page/types.ts';
