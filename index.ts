/** The package's entry: the mesh and the element classes. Nothing is registered; import `p2p-elements/p2p-video` and the like for that. */
export { mesh, Mesh } from './mesh/index.ts';
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
} from './mesh/index.ts';
export { P2PAsset } from './components/p2p-asset.ts';
export { P2PImg } from './components/p2p-img.ts';
export { P2PMesh } from './components/p2p-mesh.ts';
export { P2PStats } from './components/p2p-stats.ts';
export { P2PVideo } from './components/p2p-video.ts';
