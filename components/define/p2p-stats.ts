import { P2PStats } from '../p2p-stats.ts';
import { define } from './define.ts';

define('p2p-stats', P2PStats);

export { P2PStats };

declare global {
  interface HTMLElementTagNameMap {
    'p2p-stats': P2PStats;
  }
}
