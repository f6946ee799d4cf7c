/** WebTorrent's tracker, WebSocket only, as its command line runs it with --ws. */
import { Server } from 'bittorrent-tracker';
import { answerGenerator } from './control.ts';

// by default it remembers 1,000 peers of a swarm
const tracker = new Server({ udp: false, http: false, ws: true, stats: false, peersCacheLength: 100_000 });
tracker.on('warning', () => undefined);
tracker.listen(0, '127.0.0.1', () => {
  if (tracker.http) answerGenerator(tracker.http);
});
