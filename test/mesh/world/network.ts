/** The world's data channels: makes links between pages, and breaks them as a test says. */
import type { Channel, Dialer } from '../../../mesh/core/ports.ts';
import type { PeerId } from '../../../protocol/ids.ts';
import type { FromPage } from '../../../protocol/page.ts';
import type { Signal } from '../../../protocol/signaling.ts';
import { LinkEnd, type LineOptions } from './link.ts';
import type { VirtualClock } from './virtual-clock.ts';
import { WireTap } from './wire-tap.ts';

/** The half of the Engine that a page feeds; hostile peers have it too. */
export interface PageUser {
  channel(connection: number, peer: PeerId, channel: Channel): void;
  connection(message: Extract<FromPage, { type: 'connection' }>): void;
  signal(message: Extract<FromPage, { type: 'signal' }>): void;
}

interface Link {
  readonly from: Page;
  readonly to: Page | null;
  readonly ends: readonly [LinkEnd, LinkEnd];
}

export class Network {
  line: LineOptions = { latency: 5, bytesPerMillisecond: 10_000, maxMessageSize: 256 * 1024 };
  /** Can these two, by name, open a connection? */
  opens: (from: string, to: string) => boolean = () => true;
  readonly #clock: VirtualClock;
  readonly log: (line: string) => void;
  readonly #links: Link[] = [];

  constructor(clock: VirtualClock, log: (line: string) => void) {
    this.#clock = clock;
    this.log = log;
  }

  page(name: string, user: PageUser): Page {
    return new Page(name, user, this, this.#clock);
  }

  /** A new link; its number stands in for the SDP. */
  create(from: Page): { sdp: string; end: LinkEnd } {
    const sdp = String(this.#links.length);
    const names = (): [string, string] => [from.name, this.#links[Number(sdp)]?.to?.name ?? '?'];
    const taps = [new WireTap(), new WireTap()] as const;
    const end = (tap: WireTap, direction: (names: [string, string]) => string): LinkEnd =>
      new LinkEnd(this.#clock, this.line, (message) => {
        for (const line of tap.lines(message)) this.log(`${direction(names())} ${line}`);
      });
    const ends = [end(taps[0], ([a, b]) => `${a}>${b}`), end(taps[1], ([a, b]) => `${b}>${a}`)] as const;
    ends[0].other = ends[1];
    ends[1].other = ends[0];
    this.#links.push({ from, to: null, ends });
    return { sdp, end: ends[0] };
  }

  /** The answering end of a link. */
  meet(sdp: string, to: Page): LinkEnd | undefined {
    const link = this.#links[Number(sdp)];
    if (!link || !this.opens(link.from.name, to.name)) return undefined;
    this.#links[Number(sdp)] = { ...link, to };
    return link.ends[1];
  }

  /** From now on nothing passes between this peer and the others (or one other), and nobody is told. */
  cut(name: string, other?: string): void {
    for (const end of this.#endsOf(name, other)) end.isCut = true;
  }

  /** The connections between these two close, and both hear of it. */
  close(name: string, other?: string): void {
    for (const end of this.#endsOf(name, other)) end.hangUp();
  }

  /** Links between these two that are open on both ends. */
  openLinks(name: string, other?: string): number {
    return this.#endsOf(name, other).filter((end) => end.state === 'open' && end.other?.state === 'open').length / 2;
  }

  #endsOf(name: string, other?: string): LinkEnd[] {
    const between = ({ from, to }: Link): boolean => {
      if (from.name === name) return other === undefined || to?.name === other;
      return to?.name === name && (other === undefined || from.name === other);
    };
    return this.#links.filter(between).flatMap(({ ends }) => ends);
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

  dial(connection: number, peer: PeerId): void {
    const { sdp, end } = this.#network.create(this);
    this.#ends.set(connection, end);
    this.#network.log(`${this.name} offers ${peer.slice(0, 8)}`);
    this.#clock.after(0, () => {
      this.#user.channel(connection, peer, end);
      this.#user.signal({ type: 'signal', peer, signal: { kind: 'offer', connection, sdp } });
    });
  }

  remoteSignal(peer: PeerId, signal: Signal): void {
    const { connection } = signal;
    if (signal.kind === 'offer') {
      const end = this.#network.meet(signal.sdp, this);
      if (!end) return;
      this.#ends.set(connection, end);
      this.#clock.after(0, () =>
        this.#user.signal({ type: 'signal', peer, signal: { kind: 'answer', connection, sdp: signal.sdp } }),
      );
      this.#user.channel(connection, peer, end);
    } else if (signal.kind === 'answer') this.#establish(connection);
  }

  hangUp(connection: number): void {
    this.#ends.get(connection)?.hangUp();
    this.#ends.delete(connection);
  }

  /** Three ways through the line (ICE, DTLS, SCTP), then it is open. */
  #establish(connection: number): void {
    const end = this.#ends.get(connection);
    const { latency, maxMessageSize } = this.#network.line;
    for (const one of [end, end?.other]) this.#clock.after(3 * latency, () => one?.open());
    this.#clock.after(3 * latency, () =>
      this.#user.connection({ type: 'connection', connection, state: 'connected', maxMessageSize }),
    );
  }
}
