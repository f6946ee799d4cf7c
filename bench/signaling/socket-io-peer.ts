/** A peer that speaks Engine.IO 4 and Socket.IO 5 by hand. */
import { NODE_HEADER } from '../../test/harness/nginx.ts';
import { PROTOCOL_VERSION } from '../../protocol/limits.ts';
import { SIGNALING_PATH } from '../../protocol/signaling.ts';
import type { NumberedSignal, OpenPeer, Peer, PeerListener } from './peer.ts';
import { RawWebSocket, type Route } from './raw-web-socket.ts';

type Joined = Pick<Peer, 'id' | 'introduced' | 'resume' | 'swarmSize'>;

/** What two servers that both speak socket.io do differently. */
interface Dialect {
  readonly path: string;
  readonly joinMessage: (swarm: string, resume: string | undefined) => unknown;
  readonly readJoin: (reply: unknown) => Partial<Joined> & Pick<Joined, 'id' | 'introduced'>;
  readonly signalMessage: (to: string, signal: NumberedSignal) => readonly unknown[];
}

interface JoinReply {
  readonly ok: boolean;
  readonly message?: string;
  readonly peer: string;
  readonly resume: string;
  readonly swarms: readonly {
    readonly size: number;
    readonly members: readonly string[];
    readonly others: readonly string[];
  }[];
}

/** In an answer's head. */
const NODE = new RegExp(`\\r\\n${NODE_HEADER}: (.*)`, 'i');

const QUERY = '?EIO=4&transport=websocket';

/** The project's own signaling. */
const OURS: Dialect = {
  path: `${SIGNALING_PATH}/${QUERY}`,
  joinMessage: (swarm, resume) => ({ version: PROTOCOL_VERSION, swarms: [swarm], resume }),
  readJoin: (untrusted) => {
    const reply = untrusted as JoinReply;
    if (!reply.ok) throw new Error(`The join was refused: ${reply.message}`);
    return {
      id: reply.peer,
      resume: reply.resume,
      swarmSize: reply.swarms[0]?.size ?? NaN,
      introduced: reply.swarms.flatMap(({ members, others }) => [...members, ...others]),
    };
  },
  signalMessage: (to, signal) => [{ to, signal }],
};

/** The relay of bench/signaling/servers/socket-io.ts. */
const RELAY: Dialect = {
  path: `/socket.io/${QUERY}`,
  joinMessage: (swarm) => swarm,
  readJoin: (untrusted) => untrusted as { id: string; introduced: readonly string[] },
  signalMessage: (to, signal) => [to, signal],
};

class SocketIOPeer implements Peer {
  id = '';
  introduced: readonly string[] = [];
  resume = '';
  swarmSize = NaN;
  node: string;
  readonly ready: Promise<void>;
  readonly #dialect: Dialect;
  readonly #listener: PeerListener;
  readonly #socket: RawWebSocket;
  #isReady: () => void = () => undefined;
  #joined: ((reply: unknown) => void) | undefined;
  #asked = 0;

  constructor(dialect: Dialect, route: Omit<Route, 'path'>, listener: PeerListener) {
    this.#dialect = dialect;
    this.#listener = listener;
    this.node = String(route.port);
    this.ready = new Promise((resolve) => (this.#isReady = resolve));
    this.#socket = new RawWebSocket(
      { ...route, path: dialect.path },
      {
        opened: (head) => this.#opened(head),
        text: (text) => this.#received(text),
        closed: (reason) => listener.closed(reason),
      },
    );
  }

  async join(swarm: string, resume?: string): Promise<void> {
    const reply = new Promise<unknown>((resolve) => (this.#joined = resolve));
    this.#socket.send(`42${this.#asked++}${JSON.stringify(['join', this.#dialect.joinMessage(swarm, resume)])}`);
    Object.assign(this, this.#dialect.readJoin(await reply));
  }

  signal(to: string, signal: NumberedSignal, answer: boolean): void {
    const id = answer ? this.#asked++ : '';
    this.#socket.send(`42${id}${JSON.stringify(['signal', ...this.#dialect.signalMessage(to, signal)])}`);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #opened(head: string): void {
    this.node = NODE.exec(head)?.[1] ?? this.node;
  }

  /** The packets are: 0 open, 2 ping, 40 connected, 42 event, 43 answer. */
  #received(text: string): void {
    if (text === '2') this.#pinged();
    else if (text.startsWith('43')) this.#answered(text);
    else if (text.startsWith('42["signal"')) this.#listener.signalled(connectionOf(text));
    else if (text.startsWith('40')) this.#isReady();
    else if (text.startsWith('0')) this.#socket.send('40');
  }

  #pinged(): void {
    this.#listener.pinged();
    this.#socket.send('3');
  }

  #answered(text: string): void {
    const joined = this.#joined;
    if (joined === undefined) return this.#listener.answered(!text.includes('"ok":false'));
    this.#joined = undefined;
    const [reply] = JSON.parse(text.slice(text.indexOf('['))) as unknown[];
    joined(reply);
  }
}

/** Not JSON.parse(): the generator has one core, and reads as much as the server writes. */
function connectionOf(text: string): number {
  const at = text.indexOf('"connection":');
  return Number.parseInt(text.slice(at + 13, at + 23), 10);
}

export const openOurs: OpenPeer = (route, listener) => new SocketIOPeer(OURS, route, listener);
export const openRelay: OpenPeer = (route, listener) => new SocketIOPeer(RELAY, route, listener);
