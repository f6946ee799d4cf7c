export { mesh, Mesh } from './page/mesh.ts';
export type { LoadedAsset, LoadOptions, MeshEventMap, MeshFace, MeshOptions, MeshStats } from './page/types.ts';
