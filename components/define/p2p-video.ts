import { P2PVideo } from '../p2p-video.ts';
import { define } from './define.ts';

define('p2p-video', P2PVideo);

export { P2PVideo };

declare global {
  interface HTMLElementTagNameMap {
    'p2p-video': P2PVideo;
  }
}
