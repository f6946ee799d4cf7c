import type { Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { PeerId } from '../../protocol/ids.ts';
import { Admission, type AdmissionOptions } from '../admission/admission.ts';
import { admissionOptions, attachAdmission } from '../admission/attach-admission.ts';
import { noRefusals } from '../admission/refusals.ts';
import { visitOf } from '../admission/visit.ts';
import { fixedIce, type IceSource } from '../ice.ts';
import { clientAddress, type AddressOf } from '../client-address.ts';
import type { IceServer } from '../../protocol/signaling.ts';
import type { Logger } from '../log.ts';
import { siteOf as siteOfAddress, type SiteOf } from '../site.ts';
import { spreadOver } from '../spread-over.ts';
import type { Directory } from './directory.ts';
import type { Hub, PeerSession, SignalingCounters } from './hub.ts';
import { MemoryDirectory } from './memory-directory.ts';
import type { OtherNodes, OtherNodesListener } from './other-nodes.ts';
import { Session } from './session.ts';
import type { SignalingObserver } from './observer.ts';
import { SwarmNews, type Places } from './swarm-news.ts';
import { createTransport, forgetHandshake } from './transport.ts';
import { eventPacket } from './transport/client-events.ts';

export interface SignalingOptions {
  /** Any Node HTTP or HTTPS server; a Koa or Express app's is fine. Other paths and their WebSockets are left alone. */
  readonly server: HttpServer | HttpsServer;
  /** Default: a new MemoryDirectory. */
  readonly directory?: Directory;
  /** The other servers that serve the same swarms, with a directory that all share. Default: there are none. */
  readonly others?: OtherNodes;
  /** STUN and TURN servers told to each peer; a function makes them for one, as `expiringIce` does. Default: none, which is enough on a LAN. */
  readonly iceServers?: readonly IceServer[] | IceSource;
  /** Who may join, and how much each may do. Default: every page, no tokens, and the limits of `admission/limits.ts`. */
  readonly admission?: AdmissionOptions;
  /** The peer's address, which decides its site. Default: the socket's remote address; behind a proxy, `clientAddress(1)`. */
  readonly addressOf?: AddressOf;
  /** The site of an address. Default: `siteOf`. Asked once for each socket. */
  readonly siteOf?: SiteOf;
  readonly log?: Logger;
  /** Who takes no part in the mesh, and why. Asked with each join. Default: everybody does. */
  readonly off?: Hub['off'];
  /** Counts or logs what happens. */
  readonly observer?: SignalingObserver;
}

export interface Signaling {
  readonly counters: Readonly<SignalingCounters>;
  /** Peers connected to this server now. */
  readonly peers: number;
  /** Connections to this server now, those that have not joined included. */
  readonly connections: number;
  /** Swarms and sites that have a peer on this server. Costs time for each place of them: for whoever asks now and then. */
  readonly places: Places;
  /** Ends all connections, spread over the time. Browsers come back at once, and join again. @param signal leaves the rest alone */
  renew(milliseconds: number, signal: AbortSignal): Promise<void>;
  /** The same, and whoever is not here yet is refused from now on. */
  drain(milliseconds: number, signal: AbortSignal): Promise<void>;
  /** Refuses new peers, disconnects the others (they will try to reconnect) and ends all timers. The HTTP server stays open. */
  close(): Promise<void>;
}

/** Introduces the peers of each swarm to each other: socket.io under `/p2p/signal`. See protocol/signaling.ts. */
export function createSignaling({
  server,
  others,
  directory = others?.directory ?? new MemoryDirectory(),
  iceServers = [],
  admission: admissionRules = {},
  addressOf = clientAddress(0),
  siteOf = siteOfAddress,
  log,
  off = () => undefined,
  observer = {},
}: SignalingOptions): Signaling {
  let state: 'open' | 'draining' | 'closing' = 'open';
  const counters: SignalingCounters = { refused: 0, refusals: noRefusals(), badMessages: 0, cutOff: 0, relayed: 0 };
  const admission = new Admission(admissionRules, { counts: counters.refusals, log, addressOf, siteOf });
  const io = createTransport({
    server,
    cors: admissionRules.origins ?? '*',
    isClosing: () => state !== 'open',
    ...admissionOptions(admission),
  });
  attachAdmission(io, admission);
  const sessions = new Map<PeerId, PeerSession>();
  const news = new SwarmNews<PeerSession>({
    directory,
    now: () => performance.now(),
    send: (members, state) => {
      observer.news?.();
      const packet = eventPacket('swarm', JSON.stringify(state));
      for (const member of members) member.tell(packet);
    },
  });
  others?.listen(listenerOf(news, sessions));
  const hub: Hub = {
    directory,
    others,
    admission,
    news,
    sessions,
    open: new Set(),
    ice: typeof iceServers === 'function' ? iceServers : fixedIce(iceServers),
    counters,
    log,
    observer,
    off,
    get isClosing() {
      return state === 'closing';
    },
  };
  io.on('connection', (socket) => {
    new Session(socket, visitOf(socket.conn)?.site ?? siteOf(addressOf(socket.request)), hub);
    forgetHandshake(socket);
  });
  return faceOf(io, hub, (next) => (state = next));
}

const listenerOf = (news: SwarmNews<PeerSession>, sessions: Map<PeerId, PeerSession>): OtherNodesListener => ({
  changed: (swarm) => news.changed(swarm),
  gone: (peer) => {
    void sessions.get(peer)?.handOver();
    sessions.delete(peer);
  },
  signal: ({ to, from, site, signal }) => sessions.get(to)?.deliver(from, site, signal) === true,
});

/** @param turn says that the server is about to stop, or stops */
function faceOf(
  io: ReturnType<typeof createTransport>,
  { admission, counters, sessions, open, news, others }: Hub,
  turn: (state: 'draining' | 'closing') => void,
): Signaling {
  const renew: Signaling['renew'] = (milliseconds, signal) =>
    // the transport's end: a client takes the end of the socket for a dismissal and does not come back soon
    spreadOver(io.of('/').sockets.values(), milliseconds, ({ conn }) => conn.close(), signal);
  return {
    counters,
    renew,
    drain: (milliseconds, signal) => {
      turn('draining');
      return renew(milliseconds, signal);
    },
    get peers() {
      return sessions.size;
    },
    get connections() {
      return admission.connections;
    },
    get places() {
      return news.places;
    },
    close: async () => {
      turn('closing');
      news.close();
      admission.close();
      // not io.disconnectSockets(): a client takes that for a dismissal and does not come back
      io.engine.close();
      await Promise.all([...open].map((session) => session.idle()));
      await others?.close();
    },
  };
}
