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
  readonly env: Readonly<Record<string, string>>;
}

/** ws takes bufferutil where it finds it. It comes with the kit, so the others have to be told that it is not there: by default it is not. */
const WITHOUT_BUFFERUTIL = { WS_NO_BUFFER_UTIL: '1' };

/** In the order of the table. Ratios are to the second. */
export const SYSTEMS: readonly System[] = [
  { name: 'p2p-elements', script: 'ours', open: openOurs, answers: true, introduces: true, env: {} },
  {
    name: 'socket.io',
    script: 'socket-io',
    open: openRelay,
    answers: true,
    introduces: false,
    env: WITHOUT_BUFFERUTIL,
  },
  {
    name: 'bittorrent-tracker',
    script: 'bittorrent-tracker',
    open: openTracker,
    answers: false,
    introduces: false,
    env: WITHOUT_BUFFERUTIL,
  },
];
