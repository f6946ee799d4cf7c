import type { Channel, Signaling } from '../../../mesh/core/ports.ts';
import { FrameAssembler } from '../../../protocol/frame.ts';
import type { Digest, PeerId } from '../../../protocol/ids.ts';
import { MIN_MESSAGE_BYTES, PROTOCOL_VERSION } from '../../../protocol/limits.ts';
import { carriesContent, parsePeerMessage, type PeerMessage } from '../../../protocol/peer-message.ts';
import { swarmOfName } from '../../../protocol/swarm.ts';
import { swarmKey } from '../../../protocol/swarm-key.ts';
import type { Page } from './network.ts';
import { nodeSha256 } from './test-asset.ts';
import { WEB_ORIGIN, type Surroundings } from './surroundings.ts';
import { encodePeerMessage, fragmentsOf } from '../../protocol/fragments.ts';

export type BlockRequest = Extract<PeerMessage, { type: 'request' }>;

export interface RawPeerOptions {
  readonly swarms: readonly string[];
  /** What it claims to hold. */
  readonly claims: readonly Digest[];
  readonly greets: boolean;
  /** Does it confirm the content that it takes? */
  readonly confirms: boolean;
  /** Peers of one site share a line. */
  readonly site: string;
  /** What it does about a request; by default nothing. Of a choice it is asked for the first. */
  readonly answer: (request: BlockRequest, line: RawLine) => void;
  /** What it does about any message; by default nothing. */
  readonly hears: (message: PeerMessage, line: RawLine) => void;
}

/** The raw peer's side of one channel. */
export interface RawLine {
  send(message: PeerMessage): void;
  /** Any bytes at all. */
  sendBytes(bytes: Uint8Array<ArrayBuffer>): void;
}

/** A peer made of `protocol/` and raw channels: answers pings, confirms what comes, and otherwise does what its test says. */
export class RawPeer {
  readonly heard: PeerMessage[] = [];
  readonly lines: RawLine[] = [];
  readonly signaling: Signaling;
  peer: PeerId | null = null;
  readonly #world: Surroundings;
  readonly #options: RawPeerOptions;
  readonly #page: Page;

  constructor(world: Surroundings, name: string, options: Partial<RawPeerOptions>) {
    this.#world = world;
    this.#options = {
      swarms: [WEB_ORIGIN],
      claims: [],
      greets: true,
      confirms: true,
      site: 'home',
      answer: () => undefined,
      hears: () => undefined,
      ...options,
    };
    this.signaling = world.server.client(name, this.#options.site);
    this.#page = world.network.page(name, {
      channel: (_connection, _peer, channel) => this.#listen(channel),
      connection: () => undefined,
      signal: ({ peer, signal }) => void this.signaling.signal({ to: peer, signal }),
    });
    this.signaling.open({
      connected: () => void this.#join(),
      disconnected: () => undefined,
      signal: ({ from, signal }) => this.#page.remoteSignal(from, signal),
      swarm: () => undefined,
    });
  }

  async #join(): Promise<void> {
    const reply = await this.signaling.join({
      version: PROTOCOL_VERSION,
      swarms: this.#options.swarms.map(swarmOfName),
    });
    if (!reply.ok) return;
    this.peer = reply.peer;
    const peers = new Set(reply.swarms.flatMap(({ members, others }) => [...members, ...others]));
    for (const peer of peers) this.#page.dial(Math.floor(this.#world.random() * 2 ** 32), peer);
  }

  #listen(channel: Channel): void {
    const assembler = new FrameAssembler((type, _, bytes) => {
      if (this.#options.confirms && carriesContent(type)) line.send({ type: 'credit', bytes });
    });
    const line: RawLine = {
      send: (message) => {
        for (const part of fragmentsOf(encodePeerMessage(message), MIN_MESSAGE_BYTES)) channel.send(part);
      },
      sendBytes: (bytes) => channel.send(bytes),
    };
    channel.listen({
      opened: () => {
        this.lines.push(line);
        if (this.#options.greets) void this.#greet(line);
      },
      received: (message) => {
        const frame = message && assembler.accept(message);
        if (frame) this.#receive(parsePeerMessage(frame), line);
      },
      drained: () => undefined,
      closed: () => undefined,
    });
  }

  async #greet(line: RawLine): Promise<void> {
    const keys = await Promise.all(this.#options.swarms.map((swarm) => swarmKey(swarmOfName(swarm), nodeSha256)));
    line.send({ type: 'hello', version: PROTOCOL_VERSION, swarms: keys });
    for (const key of keys) line.send({ type: 'have', swarm: key, digests: this.#options.claims });
  }

  #receive(message: PeerMessage, line: RawLine): void {
    this.heard.push(message);
    if (message.type === 'ping') line.send({ type: 'pong', request: message.request });
    if (message.type === 'request') this.#options.answer(message, line);
    if (message.type === 'pick')
      this.#options.answer({ ...message, type: 'request', first: message.blocks[0] ?? 0, count: 1 }, line);
    this.#options.hears(message, line);
  }
}
