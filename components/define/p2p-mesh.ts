import { P2PMesh } from '../p2p-mesh.ts';
import { define } from './define.ts';

define('p2p-mesh', P2PMesh);

export { P2PMesh };

declare global {
  interface HTMLElementTagNameMap {
    'p2p-mesh': P2PMesh;
  }
}
