import { P2PImg } from '../p2p-img.ts';
import { define } from './define.ts';

define('p2p-img', P2PImg);

export { P2PImg };

declare global {
  interface HTMLElementTagNameMap {
    'p2p-img': P2PImg;
  }
}
