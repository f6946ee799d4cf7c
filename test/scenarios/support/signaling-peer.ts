/** A browser as the signaling server knows it: the kit's own client, without a page. Many fit into one process. */
import { WebSocket as NodeWebSocket, type ClientOptions } from 'ws';
import { systemClock, systemRandom } from '../../../mesh/io/clock.ts';
import { SocketSignaling } from '../../../mesh/io/signaling/socket-signaling.ts';
import type { PeerId } from '../../../protocol/ids.ts';
import { PROTOCOL_VERSION } from '../../../protocol/limits.ts';
import { swarmOfName } from '../../../protocol/swarm.ts';
import type { JoinReply, RelayedSignal, SwarmView } from '../../../protocol/signaling.ts';

/** Connects to 127.0.0.1, from the loopback address that the number in the host's name says: `peer-7.localhost` is at 127.0.0.17. */
class Placed extends NodeWebSocket {
  constructor(url: string) {
    const [, number = '0'] = /^ws:\/\/peer-(\d+)\./.exec(url) ?? [];
    const options: ClientOptions & { localAddress: string; lookup: object } = {
      localAddress: `127.0.0.${10 + (Number(number) % 200)}`,
      lookup: (_name: string, { all }: { all?: boolean }, done: (...answer: unknown[]) => void) =>
        all === true ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4),
    };
    super(url, options);
    this.on('error', () => undefined); // its close says the same
  }
}

export class SignalingPeer {
  /** The latest answer of a server; null: it is connected to none. */
  joined: (JoinReply & { readonly swarms: readonly SwarmView[] }) | null = null;
  /** How often it was let in. */
  joins = 0;
  readonly signals: RelayedSignal[] = [];
  readonly #signaling: SocketSignaling;
  readonly #swarm;
  #resume: string | undefined;

  /** @param port of the server, or of what stands before it, on the loopback */
  constructor(port: number, number: number, swarm: string) {
    Object.assign(globalThis, { WebSocket: Placed });
    this.#swarm = swarmOfName(swarm);
    this.#signaling = new SocketSignaling(`http://peer-${number}.localhost:${port}`, {
      clock: systemClock,
      random: systemRandom,
      trace: () => undefined,
      network: new EventTarget(),
    });
    this.#signaling.open({
      connected: () => void this.join(),
      disconnected: () => void (this.joined = null),
      signal: (message) => void this.signals.push(message),
      swarm: () => undefined,
    });
  }

  /** Joins, also when it is in already: the answer says who is there now. */
  async join(): Promise<JoinReply | null> {
    const reply = await this.#signaling.join({
      version: PROTOCOL_VERSION,
      swarms: [this.#swarm],
      ...(this.#resume !== undefined && { resume: this.#resume }),
    });
    if (!reply.ok) return null;
    this.#resume = reply.resume;
    this.joined = reply;
    this.joins++;
    return reply;
  }

  /** @returns whether the server took it */
  async signal(to: PeerId, text: string): Promise<boolean> {
    return (await this.#signaling.signal({ to, signal: { kind: 'offer', connection: 1, sdp: text } })).ok;
  }

  close(): void {
    this.#signaling.close();
  }
}
