/** The world's data channels: makes links between pages, and breaks them as a test says. */
import type { Channel, Dialer } from '../../../mesh/core/ports.ts';
import type { PeerId } from '../../../protocol/ids.ts';
import type { FromPage } from '../../../protocol/page.ts';
import type { IceServer, Signal } from '../../../protocol/signaling.ts';
import type { Route } from './flow.ts';
import { LinkEnd } from './link.ts';
import { Pipe } from './pipe.ts';
import type { VirtualClock } from './virtual-clock.ts';
import { WireTap } from './wire-tap.ts';

/** The half of the Engine that a page feeds; hostile peers have it too. */
export interface PageUser {
  channel(connection: number, peer: PeerId, channel: Channel): void;
  connection(message: Extract<FromPage, { type: 'connection' }>): void;
  signal(message: Extract<FromPage, { type: 'signal' }>): void;
}

/** Writes a line into the log. */
export type Log = (line: string) => void;

/** What a line between two peers is like. */
export interface LineOptions {
  /** One way, ms. */
  readonly latency: number;
  readonly bytesPerMillisecond: number;
  /** As `sctp.maxMessageSize`, bytes. */
  readonly maxMessageSize: number;
}

interface Pair {
  readonly from: Page;
  to: Page | null;
}

interface Link extends Pair {
  readonly ends: readonly [LinkEnd, LinkEnd];
}

export class Network {
  line: LineOptions = { latency: 5, bytesPerMillisecond: 10_000, maxMessageSize: 256 * 1024 };
  /** Can these two, by name, open a connection? */
  opens: (from: string, to: string) => boolean = () => true;
  /** The way from one to the other; unless told otherwise each two have a line of their own. */
  route: (from: string, to: string) => Route = () => this.#ownLine();
  /** From an offer's arrival to its answer, ms. */
  answersAfter = 0;
  /** From the answer to an open channel, ms: three ways through the line (ICE, DTLS, SCTP). */
  handshake: (latency: number) => number = (latency) => 3 * latency;
  /** Sees each message; one that it refuses is lost. */
  takes: ((from: string, to: string, message: Uint8Array<ArrayBuffer>) => boolean) | null = null;
  readonly log: Log | null;
  readonly #clock: VirtualClock;
  readonly #links = new Map<string, Link>();
  #last = 0;

  /** @param log null: nobody reads it, and messages are not parsed for it */
  constructor(clock: VirtualClock, log: Log | null) {
    this.#clock = clock;
    this.log = log;
  }

  page(name: string, user: PageUser): Page {
    return new Page(name, user, this, this.#clock);
  }

  /** A new link; its number stands in for the SDP. */
  create(from: Page): { sdp: string; end: LinkEnd } {
    const sdp = String(++this.#last);
    const pair: Pair = { from, to: null };
    const ends = [this.#end(pair, true), this.#end(pair, false)] as const;
    ends[0].other = ends[1];
    ends[1].other = ends[0];
    this.#links.set(sdp, Object.assign(pair, { ends }));
    return { sdp, end: ends[0] };
  }

  /** The answering end of a link. */
  meet(sdp: string, to: Page): LinkEnd | undefined {
    const link = this.#links.get(sdp);
    if (!link || !this.opens(link.from.name, to.name)) return undefined;
    link.to = to;
    link.ends[0].connect(this.route(link.from.name, to.name));
    link.ends[1].connect(this.route(to.name, link.from.name));
    return link.ends[1];
  }

  /** The offering end has its answer: both open. */
  establish(sdp: string, connection: number): void {
    const link = this.#links.get(sdp);
    if (!link) return;
    const { from, to, ends } = link;
    const { maxMessageSize } = this.line;
    const wait = this.handshake(ends[0].latency);
    for (const end of ends) this.#clock.after(wait, () => end.open());
    for (const page of [from, to]) this.#clock.after(wait, () => page?.established(connection, maxMessageSize));
  }

  /** From now on nothing passes between this peer and the others (or one other), and nobody is told. */
  cut(name: string, other?: string): void {
    for (const end of this.#endsOf(name, other)) end.cut();
  }

  /** The connections between these two close, and both hear of it. */
  close(name: string, other?: string): void {
    for (const end of this.#endsOf(name, other)) end.hangUp();
  }

  /** Links between these two that are open on both ends. */
  openLinks(name: string, other?: string): number {
    return this.#endsOf(name, other).filter((end) => end.state === 'open' && end.other?.state === 'open').length / 2;
  }

  #ownLine(): Route {
    const { latency, bytesPerMillisecond } = this.line;
    return { pipes: [new Pipe(this.#clock, bytesPerMillisecond)], gate: null, latency, window: Infinity };
  }

  #end(pair: Pair, isOffering: boolean): LinkEnd {
    const { maxMessageSize } = this.line;
    const { log } = this;
    const tap = new WireTap();
    const handedOver = (message: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | null => {
      const [from, to] = isOffering ? [pair.from.name, pair.to?.name] : [pair.to?.name, pair.from.name];
      if (from === undefined || to === undefined) return message;
      if (log) for (const line of tap.lines(message)) log(`${from}>${to} ${line}`);
      if (this.takes?.(from, to, message) === false) return null;
      // Where there is a log there is a test, which may write on what it sent.
      return log ? message.slice() : message;
    };
    return new LinkEnd(this.#clock, { maxMessageSize, handedOver });
  }

  #endsOf(name: string, other?: string): LinkEnd[] {
    const between = ({ from, to }: Link): boolean => {
      if (from.name === name) return other === undefined || to?.name === other;
      return to?.name === name && (other === undefined || from.name === other);
    };
    return [...this.#links.values()].filter(between).flatMap(({ ends }) => ends);
  }
}

/** What makes a peer's connections, as a page does for its engine. */
export class Page implements Dialer {
  readonly name: string;
  readonly #user: PageUser;
  readonly #network: Network;
  readonly #clock: VirtualClock;
  readonly #ends = new Map<number, LinkEnd>();

  constructor(name: string, user: PageUser, network: Network, clock: VirtualClock) {
    this.name = name;
    this.#user = user;
    this.#network = network;
    this.#clock = clock;
  }

  dial(connection: number, peer: PeerId, iceServers: readonly IceServer[] = []): void {
    const { sdp, end } = this.#network.create(this);
    this.#ends.set(connection, end);
    this.#network.log?.(`${this.name} offers ${peer.slice(0, 8)}${userOf(iceServers)}`);
    this.#clock.after(0, () => {
      this.#user.channel(connection, peer, end);
      this.#user.signal({ type: 'signal', peer, signal: { kind: 'offer', connection, sdp } });
    });
  }

  remoteSignal(peer: PeerId, signal: Signal, iceServers: readonly IceServer[] = []): void {
    const { connection } = signal;
    if (signal.kind === 'offer') {
      const end = this.#network.meet(signal.sdp, this);
      if (!end) return;
      this.#ends.set(connection, end);
      this.#network.log?.(`${this.name} answers ${peer.slice(0, 8)}${userOf(iceServers)}`);
      this.#clock.after(this.#network.answersAfter, () =>
        this.#user.signal({ type: 'signal', peer, signal: { kind: 'answer', connection, sdp: signal.sdp } }),
      );
      this.#user.channel(connection, peer, end);
    } else if (signal.kind === 'answer') this.#network.establish(signal.sdp, connection);
  }

  hangUp(connection: number): void {
    this.#ends.get(connection)?.hangUp();
    this.#ends.delete(connection);
  }

  /** The browser is gone, and nobody is told. */
  cut(): void {
    for (const end of this.#ends.values()) end.cut();
    this.#ends.clear();
  }

  /** The connection is up. */
  established(connection: number, maxMessageSize: number): void {
    this.#user.connection({ type: 'connection', connection, state: 'connected', maxMessageSize });
  }
}

/** By which name it would be known to the TURN servers. */
const userOf = (iceServers: readonly IceServer[]): string =>
  iceServers.map(({ username }) => (username === undefined ? '' : ` as ${username}`)).join('');
