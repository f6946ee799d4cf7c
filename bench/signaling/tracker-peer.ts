/** A peer that speaks the WebTorrent tracker protocol, as bittorrent-tracker's own client does. */
import { createHash, randomBytes } from 'node:crypto';
import type { NumberedSignal, OpenPeer, Peer, PeerListener } from './peer.ts';
import { RawWebSocket, type Route } from './raw-web-socket.ts';

class TrackerPeer implements Peer {
  /** A tracker names nobody: offers go to whom it likes, answers to whom they came from. */
  readonly introduced: readonly string[] = [];
  /** 20 bytes, a character each. The tracker lets a peer choose its own. */
  readonly id = `-P2P000-${randomBytes(6).toString('hex')}`;
  readonly resume = '';
  readonly swarmSize = NaN;
  readonly node: string;
  readonly ready: Promise<void>;
  readonly #socket: RawWebSocket;
  readonly #listener: PeerListener;
  #infoHash = '';
  #joined: (() => void) | undefined;

  constructor(route: Omit<Route, 'path'>, listener: PeerListener) {
    this.#listener = listener;
    this.node = String(route.port);
    let isReady: () => void = () => undefined;
    this.ready = new Promise((resolve) => (isReady = resolve));
    this.#socket = new RawWebSocket(
      { ...route, path: '/' },
      { opened: () => isReady(), text: (text) => this.#received(text), closed: (reason) => listener.closed(reason) },
    );
  }

  join(swarm: string): Promise<void> {
    this.#infoHash = createHash('sha1').update(swarm).digest().toString('latin1');
    const joined = new Promise<void>((resolve) => (this.#joined = resolve));
    this.#announce({ event: 'started', numwant: 0, uploaded: 0, downloaded: 0, left: 1 });
    return joined;
  }

  signal(to: string, signal: NumberedSignal): void {
    this.#announce({ to_peer_id: to, answer: signal, offer_id: String(signal.connection) });
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #announce(fields: object): void {
    this.#socket.send(JSON.stringify({ action: 'announce', info_hash: this.#infoHash, peer_id: this.id, ...fields }));
  }

  #received(text: string): void {
    const message = JSON.parse(text) as { answer?: NumberedSignal; 'failure reason'?: string };
    if (message['failure reason'] !== undefined) throw new Error(`The tracker refused: ${message['failure reason']}`);
    if (message.answer !== undefined) return this.#listener.signalled(message.answer.connection);
    this.#joined?.();
    this.#joined = undefined;
  }
}

export const openTracker: OpenPeer = (route, listener) => new TrackerPeer(route, listener);
