/**
 * The RTCPeerConnections of this page (only a window can make them). Does what the engine says and hands it the data channels.
 * Owned by the OwnEngine.
 */
import type { PeerId } from '../../protocol/ids.ts';
import { MIN_MESSAGE_BYTES } from '../../protocol/limits.ts';
import type { FromPage } from '../../protocol/page.ts';
import type { IceServer, Signal } from '../../protocol/signaling.ts';

type Candidate = Extract<Signal, { kind: 'candidate' }>;

/** Sends a message to the engine; a channel in it must go over in the same task. */
export type PostToEngine = (message: FromPage, transfer?: Transferable[]) => void;

/** Candidates kept until the description comes. A browser gathers about ten. */
const MAX_EARLY_CANDIDATES = 64;

interface Connection {
  readonly pc: RTCPeerConnection;
  readonly peer: PeerId;
  /** Candidates that came before the remote description. */
  readonly early: Candidate[];
}

export class PeerConnections {
  readonly #post: PostToEngine;
  readonly #iceTransportPolicy: RTCIceTransportPolicy;
  readonly #all = new Map<number, Connection>();

  /** @param relayOnly through TURN servers alone */
  constructor(post: PostToEngine, relayOnly: boolean) {
    this.#post = post;
    this.#iceTransportPolicy = relayOnly ? 'relay' : 'all';
  }

  /** Offers a connection (RFC 9429, 4.1). */
  async dial(connection: number, peer: PeerId, iceServers: readonly IceServer[]): Promise<void> {
    await this.#guard(connection, async () => {
      const { pc } = this.#create(connection, peer, iceServers);
      // A channel can be transferred only in the task that made it.
      this.#handOver(connection, peer, pc.createDataChannel('p2p'));
      await pc.setLocalDescription();
      this.#send(peer, { kind: 'offer', connection, sdp: pc.localDescription?.sdp ?? '' });
    });
  }

  /** What the peer at the other end said: an offer makes a connection, the rest belongs to one. */
  async remoteSignal(peer: PeerId, signal: Signal, iceServers: readonly IceServer[]): Promise<void> {
    await this.#guard(signal.connection, async () => {
      switch (signal.kind) {
        case 'offer':
          return this.#answer(peer, signal.connection, signal.sdp, iceServers);
        case 'answer':
          return this.#describe(signal.connection, { type: 'answer', sdp: signal.sdp });
        case 'candidate':
          return this.#candidate(signal);
        case 'refuse':
          this.hangUp(signal.connection);
          return;
        default:
          return signal satisfies never;
      }
    });
  }

  hangUp(connection: number): void {
    this.#all.get(connection)?.pc.close();
    this.#all.delete(connection);
  }

  close(): void {
    for (const connection of [...this.#all.keys()]) this.hangUp(connection);
  }

  #create(connection: number, peer: PeerId, iceServers: readonly IceServer[]): Connection {
    const pc = new RTCPeerConnection({
      iceTransportPolicy: this.#iceTransportPolicy,
      iceServers: iceServers.map(({ urls, ...rest }) => ({
        urls: typeof urls === 'string' ? urls : [...urls],
        ...rest,
      })),
    });
    const entry: Connection = { pc, peer, early: [] };
    this.#all.set(connection, entry);
    pc.onicecandidate = ({ candidate }) => {
      if (candidate && candidate.candidate !== '')
        this.#send(peer, {
          kind: 'candidate',
          connection,
          candidate: candidate.candidate,
          mid: candidate.sdpMid,
          line: candidate.sdpMLineIndex,
        });
    };
    pc.onconnectionstatechange = () => {
      if (this.#all.get(connection) !== entry) return;
      if (pc.connectionState === 'connected')
        this.#post({
          type: 'connection',
          connection,
          state: 'connected',
          maxMessageSize: pc.sctp?.maxMessageSize ?? MIN_MESSAGE_BYTES,
        });
      if (pc.connectionState === 'failed' || pc.connectionState === 'closed') this.#lost(connection);
    };
    return entry;
  }

  async #answer(peer: PeerId, connection: number, sdp: string, iceServers: readonly IceServer[]): Promise<void> {
    if (this.#all.has(connection)) return;
    const { pc } = this.#create(connection, peer, iceServers);
    pc.ondatachannel = ({ channel }) => this.#handOver(connection, peer, channel);
    await this.#describe(connection, { type: 'offer', sdp });
    await pc.setLocalDescription();
    this.#send(peer, { kind: 'answer', connection, sdp: pc.localDescription?.sdp ?? '' });
  }

  async #describe(connection: number, description: RTCSessionDescriptionInit): Promise<void> {
    const entry = this.#all.get(connection);
    if (!entry) return;
    await entry.pc.setRemoteDescription(description);
    for (const early of entry.early.splice(0)) await this.#candidate(early);
  }

  async #candidate(signal: Candidate): Promise<void> {
    const entry = this.#all.get(signal.connection);
    if (!entry) return;
    if (entry.pc.remoteDescription)
      // One that the browser can't use is one way less between the two; others may do, and without any the connection fails by itself.
      await entry.pc
        .addIceCandidate({ candidate: signal.candidate, sdpMid: signal.mid, sdpMLineIndex: signal.line })
        .catch(() => undefined);
    else if (entry.early.length < MAX_EARLY_CANDIDATES) entry.early.push(signal);
  }

  #handOver(connection: number, peer: PeerId, channel: RTCDataChannel): void {
    this.#post({ type: 'channel', connection, peer, channel }, [channel]);
  }

  #send(peer: PeerId, signal: Signal): void {
    if (this.#all.has(signal.connection)) this.#post({ type: 'signal', peer, signal });
  }

  /** A step that fails (bad SDP from a peer, a connection closed meanwhile) ends that connection and nothing else. The trace is the engine's: a page has no debug log. */
  async #guard(connection: number, step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch {
      this.#lost(connection);
    }
  }

  #lost(connection: number): void {
    this.hangUp(connection);
    this.#post({ type: 'connection', connection, state: 'closed' });
  }
}
