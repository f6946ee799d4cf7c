/**
 * A peer that means harm, made of `protocol/`, socket.io and a raw data channel: nothing of `mesh/` is in it, and `dist/` has no switch for it.
 * Runs in a page of the test (see `launch-hostile-peer.ts`), joins, and waits for honest newcomers to offer it a connection.
 */
import { io } from 'socket.io-client';
import { leavesOf } from '../../../protocol/digest.ts';
import { FrameAssembler } from '../../../protocol/frame.ts';
import type { AssetName, Digest, Sha256 } from '../../../protocol/ids.ts';
import { BLOCK_BYTES, MIN_MESSAGE_BYTES, PROTOCOL_VERSION } from '../../../protocol/limits.ts';
import { parsePeerMessage, type PeerMessage } from '../../../protocol/peer-message.ts';
import { parseJoinReply, parseRelayedSignal } from '../../../protocol/server-message.ts';
import { SIGNALING_PATH, type Signal } from '../../../protocol/signaling.ts';
import { swarmOfName } from '../../../protocol/swarm.ts';
import { swarmKey } from '../../../protocol/swarm-key.ts';
import { encodePeerMessage, fragmentsOf } from '../../protocol/fragments.ts';

export interface HostileOptions {
  readonly swarms: readonly string[];
  /** Assets whose real digests it announces, with their URLs. */
  readonly claims: readonly (AssetName & { readonly url: string })[];
  /**
   * - `wrong-byte`: serves what it announces, with one byte changed in the last block
   * - `silent`: announces and never answers
   * - `mute`: opens the channel and never says hello
   * - `absent`: never answers an offer
   * - `records`: notes what it is told, and asks for what it should not get
   */
  readonly behaviour: 'wrong-byte' | 'silent' | 'mute' | 'absent' | 'records';
}

export interface HostileState {
  peer: string | null;
  /** Channels that were opened, and those of them that the other end closed. */
  opened: number;
  closed: number;
  requests: number;
  wrongBlocks: number;
  /** Digests that others said that they hold, and keys of URLs that they named. */
  readonly announced: string[];
  /** What came of asking for a digest: the types of the messages. */
  readonly answers: Record<string, string[]>;
}

type BlockRequest = Extract<PeerMessage, { type: 'request' }>;

const sha256: Sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
const state: HostileState = {
  peer: null,
  opened: 0,
  closed: 0,
  requests: 0,
  wrongBlocks: 0,
  announced: [],
  answers: {},
};
const lines = new Set<(message: PeerMessage) => void>();
/** By the numbers of our requests. */
const asked = new Map<number, string>();
Object.assign(window, { hostile: { state, start, ask } });

async function start({ swarms, claims, behaviour }: HostileOptions): Promise<void> {
  const bodies = new Map<string, Uint8Array<ArrayBuffer>>();
  if (behaviour === 'wrong-byte')
    for (const { digest, url } of claims) bodies.set(digest, new Uint8Array(await (await fetch(url)).arrayBuffer()));
  const socket = io({ path: SIGNALING_PATH, transports: ['websocket'] });
  const connections = new Map<string, RTCPeerConnection>();
  const say = (to: string, signal: Signal): void => void socket.emit('signal', { to, signal }, () => undefined);

  socket.on('signal', (message: unknown) => {
    const { from, signal } = parseRelayedSignal(message);
    const key = `${from} ${signal.connection}`;
    if (behaviour === 'absent') return;
    if (signal.kind === 'offer') {
      const connection = new RTCPeerConnection();
      connections.set(key, connection);
      connection.ondatachannel = ({ channel }) => void talk(channel, { swarms, claims, behaviour }, bodies);
      connection.onicecandidate = ({ candidate }) => {
        if (!candidate?.candidate) return;
        const { candidate: text, sdpMid: mid, sdpMLineIndex: line } = candidate;
        say(from, { kind: 'candidate', connection: signal.connection, candidate: text, mid, line });
      };
      void answer(connection, signal.sdp).then((sdp) =>
        say(from, { kind: 'answer', connection: signal.connection, sdp }),
      );
    } else if (signal.kind === 'candidate') {
      const { candidate, mid: sdpMid, line: sdpMLineIndex } = signal;
      void connections.get(key)?.addIceCandidate({ candidate, sdpMid, sdpMLineIndex });
    }
  });
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  const reply = parseJoinReply(
    await socket.emitWithAck('join', { version: PROTOCOL_VERSION, swarms: swarms.map(swarmOfName) }),
  );
  if (!reply.ok) throw new Error(reply.message);
  state.peer = reply.peer;
}

async function answer(connection: RTCPeerConnection, sdp: string): Promise<string> {
  await connection.setRemoteDescription({ type: 'offer', sdp });
  await connection.setLocalDescription();
  return connection.localDescription?.sdp ?? '';
}

async function talk(
  channel: RTCDataChannel,
  { swarms, claims, behaviour }: HostileOptions,
  bodies: ReadonlyMap<string, Uint8Array<ArrayBuffer>>,
): Promise<void> {
  channel.binaryType = 'arraybuffer';
  const send = (message: PeerMessage): void => {
    for (const part of fragmentsOf(encodePeerMessage(message), MIN_MESSAGE_BYTES)) channel.send(part);
  };
  const assembler = new FrameAssembler();
  channel.onclose = () => {
    state.closed++;
    lines.delete(send);
  };
  channel.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => {
    const frame = assembler.accept(new Uint8Array(data));
    const message = frame && parsePeerMessage(frame);
    if (message) note(message);
    if (message?.type === 'ping') send({ type: 'pong', request: message.request });
    if (message?.type !== 'request') return;
    state.requests++;
    const body = bodies.get(message.digest);
    if (body) void serveWrongly(message, body, send);
  };
  if (channel.readyState !== 'open') await new Promise((resolve) => (channel.onopen = resolve));
  state.opened++;
  lines.add(send);
  if (behaviour === 'mute') return;
  const keys = await Promise.all(swarms.map((swarm) => swarmKey(swarmOfName(swarm), sha256)));
  send({ type: 'hello', version: PROTOCOL_VERSION, swarms: keys });
  for (const swarm of keys) send({ type: 'have', swarm, digests: claims.map(({ digest }) => digest) });
}

/** Asks everybody for the first block of each. */
function ask(digests: readonly string[]): void {
  for (const digest of digests)
    for (const send of lines) {
      const request = asked.size + 1;
      asked.set(request, digest);
      send({ type: 'request', request, digest: digest as Digest, first: 0, count: 1, leaves: true });
    }
}

function note(message: PeerMessage): void {
  if (message.type === 'have') state.announced.push(...message.digests);
  if (message.type === 'named') state.announced.push(...message.names.map(({ urlKey }) => urlKey));
  const digest = 'request' in message ? asked.get(message.request) : undefined;
  if (digest !== undefined && message.type !== 'request') (state.answers[digest] ??= []).push(message.type);
}

async function serveWrongly(
  { request, first, count, leaves }: BlockRequest,
  body: Uint8Array<ArrayBuffer>,
  send: (message: PeerMessage) => void,
): Promise<void> {
  if (leaves) send({ type: 'leaves', request, size: body.length, untrustedLeaves: await leavesOf(body, sha256) });
  for (let index = first; index < first + count; index++) {
    const untrustedBlock = body.slice(index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES);
    if ((index + 1) * BLOCK_BYTES >= body.length) {
      const middle = untrustedBlock.length >> 1;
      untrustedBlock[middle] = (untrustedBlock[middle] ?? 0) ^ 1;
      state.wrongBlocks++;
    }
    send({ type: 'block', request, index, untrustedBlock });
  }
}
