/** Registers every element, `<p2p-mesh>` first. */
export { P2PMesh } from './p2p-mesh.ts';
export { P2PVideo } from './p2p-video.ts';
export { P2PImg } from './p2p-img.ts';
export { P2PAsset } from './p2p-asset.ts';
export { P2PStats } from './p2p-stats.ts';
