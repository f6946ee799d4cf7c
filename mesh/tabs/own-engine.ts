/** The engine of this very tab, with the connections that only its window can make. Owned by the TabEngine. */
import type { EngineOptions, FromEngine, FromPage, ToTab } from '../../protocol/page.ts';
import { startEngine, type StartedEngine } from './engine-link.ts';
import { PeerConnections } from './peer-connections.ts';

export class OwnEngine {
  readonly #engine: StartedEngine;
  readonly #connections: PeerConnections;
  #isEnded = false;

  /** @throws P2PError `engine-failed` where it can run nowhere */
  static async start(options: EngineOptions, receive: (message: ToTab) => void): Promise<OwnEngine> {
    let take: (message: FromEngine) => void = () => undefined;
    const own = new OwnEngine(await startEngine((message) => take(message)), options.relayOnly);
    take = (message) => own.#take(message, receive);
    own.postMessage({ type: 'start', options });
    return own;
  }

  private constructor(engine: StartedEngine, relayOnly: boolean) {
    this.#engine = engine;
    this.#connections = new PeerConnections(engine.post, relayOnly);
  }

  /** As a port's. */
  postMessage(message: FromPage, transfer: Transferable[] = []): void {
    this.#engine.post(message, transfer);
  }

  /** Leaves the mesh and the other tabs at once, for there may be no time for the engine to say goodbye. */
  leaveAtOnce(): void {
    this.postMessage({ type: 'leave' });
    this.#connections.close();
  }

  /** A worker that is ended leaves the other ends open, so the connections are closed. */
  end(): void {
    this.#isEnded = true;
    this.#engine.end();
    this.#connections.close();
  }

  #take(message: FromEngine, receive: (message: ToTab) => void): void {
    if (this.#isEnded) return;
    switch (message.type) {
      case 'ready':
        return;
      case 'dial':
        return void this.#connections.dial(message.connection, message.peer, message.iceServers);
      case 'remote-signal':
        return void this.#connections.remoteSignal(message.peer, message.signal, message.iceServers);
      case 'hang-up':
        return this.#connections.hangUp(message.connection);
      case 'loaded':
      case 'progress':
      case 'chunk':
      case 'pass':
      case 'failed':
      case 'held':
      case 'files':
      case 'stats':
      case 'peer':
      case 'warning':
      case 'stay-awake':
        return receive(message);
      default:
        return message satisfies never;
    }
  }
}
