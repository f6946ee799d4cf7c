export { mesh, Mesh } from './page/mesh.ts';
export { debugOnce, warnOnce } from './page/warn.ts';
export type {
  LoadedAsset,
  LoadOptions,
  MeshEventMap,
  MeshFace,
  MeshOptions,
  MeshStats,
  Named,
  Prefetched,
  PrefetchOptions,
} from './page/types.ts';
