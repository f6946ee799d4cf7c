import { P2PAsset } from '../p2p-asset.ts';
import { define } from './define.ts';

define('p2p-asset', P2PAsset);

export { P2PAsset };

declare global {
  interface HTMLElementTagNameMap {
    'p2p-asset': P2PAsset;
  }
}
