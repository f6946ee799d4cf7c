import type { OpenPeer } from './peer.ts';
import { openOurs, openRelay } from './socket-io-peer.ts';
import { openTracker } from './tracker-peer.ts';

/** A signaling server that is measured. */
export interface System {
  readonly name: string;
  /** In bench/signaling/servers. */
  readonly script: string;
  readonly open: OpenPeer;
  /** Does its server answer signals, where it is asked to? */
  readonly answers: boolean;
  /** May peers send signals only to those that the server introduced to them? Else they go to anybody. */
  readonly introduces: boolean;
  /** Of the signals that the others are measured with: for who looks at every peer for each message, fewer tell as much. */
  readonly signalShare: number;
  readonly env: Readonly<Record<string, string>>;
}

/** ws takes bufferutil where it finds it. It comes with the kit, so the others have to be told that it is not there: by default it is not. */
const WITHOUT_BUFFERUTIL = { WS_NO_BUFFER_UTIL: '1' };

/** In the order of the table. Ratios are to the second. */
export const SYSTEMS: readonly System[] = [
  { name: 'p2p-elements', script: 'ours', open: openOurs, answers: true, introduces: true, signalShare: 1, env: {} },
  {
    name: 'socket.io',
    script: 'socket-io',
    open: openRelay,
    answers: true,
    introduces: false,
    signalShare: 1,
    env: WITHOUT_BUFFERUTIL,
  },
  {
    name: 'bittorrent-tracker',
    script: 'bittorrent-tracker',
    open: openTracker,
    answers: false,
    introduces: false,
    signalShare: 0.02,
    env: WITHOUT_BUFFERUTIL,
  },
];
