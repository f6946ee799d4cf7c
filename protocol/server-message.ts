/** What the server says, from `unknown` to typed. The one parser of the client's side of signaling. */
import { P2PError } from './error.ts';
import { isPeerId, isSwarmId, type PeerId } from './ids.ts';
import { isHex } from './hex.ts';
import { ID_BYTES, MAX_NEIGHBOURS, MAX_SDP_CHARACTERS, MAX_SWARMS } from './limits.ts';
import { shown } from './shown.ts';
import type {
  Done,
  IceServer,
  JoinReply,
  Refusal,
  RefusalCode,
  RelayedSignal,
  Signal,
  SwarmState,
  SwarmView,
} from './signaling.ts';

const REFUSALS: readonly RefusalCode[] = [
  'bad-message',
  'wrong-version',
  'not-joined',
  'unknown-peer',
  'too-many-swarms',
  'shutting-down',
];

/** @throws P2PError `bad-message` */
export function parseJoinReply(untrusted: unknown): JoinReply | Refusal {
  const reply = fields(untrusted, 'a join reply');
  if (reply['ok'] !== true) return parseRefusal(reply);
  const { peer, resume, iceServers, swarms } = reply;
  if (!isPeerId(peer) || !isHex(resume, ID_BYTES)) throw bad('a peer id and a resume secret', peer);
  return {
    ok: true,
    peer,
    resume,
    iceServers: list(iceServers, 16).map(parseIceServer),
    swarms: list(swarms, MAX_SWARMS).map(parseSwarmView),
  };
}

/** @throws P2PError `bad-message` */
export function parseDone(untrusted: unknown): Done | Refusal {
  const reply = fields(untrusted, 'an acknowledgement');
  return reply['ok'] === true ? { ok: true } : parseRefusal(reply);
}

/** @throws P2PError `bad-message` */
export function parseRelayedSignal(untrusted: unknown): RelayedSignal {
  const { from, signal } = fields(untrusted, 'a relayed signal');
  if (!isPeerId(from)) throw bad('a peer id', from);
  return { from, signal: parseSignal(signal) };
}

/** @throws P2PError `bad-message` */
export function parseSwarmState(untrusted: unknown): SwarmState {
  const { swarm, size, siteSize, sites, keeper, next } = fields(untrusted, 'the state of a swarm');
  if (!isSwarmId(swarm) || !isPeerId(keeper)) throw bad('a swarm and its keeper', swarm);
  return { swarm, size: count(size), siteSize: count(siteSize), sites: count(sites), keeper, next: peers(next) };
}

function parseSwarmView(untrusted: unknown): SwarmView {
  const { members, others } = fields(untrusted, 'a swarm');
  return { ...parseSwarmState(untrusted), members: peers(members), others: peers(others) };
}

function parseSignal(untrusted: unknown): Signal {
  const { kind, connection, sdp, candidate, mid, line } = fields(untrusted, 'a signal');
  if (typeof connection !== 'number' || !Number.isInteger(connection) || connection < 0 || connection >= 2 ** 32)
    throw bad('a connection number', connection);
  if ((kind === 'offer' || kind === 'answer') && isText(sdp)) return { kind, connection, sdp };
  if (kind === 'candidate' && isText(candidate)) {
    return {
      kind,
      connection,
      candidate,
      mid: typeof mid === 'string' ? mid : null,
      line: typeof line === 'number' ? line : null,
    };
  }
  throw bad('an offer, an answer or a candidate', kind);
}

function parseRefusal(reply: Record<string, unknown>): Refusal {
  const { message, retryAfter } = reply;
  const code = REFUSALS.find((known) => known === reply['code']);
  if (!code) throw bad('a refusal code', reply['code']);
  return {
    ok: false,
    code,
    message: typeof message === 'string' ? message : '',
    ...(typeof retryAfter === 'number' ? { retryAfter } : {}),
  };
}

function parseIceServer(untrusted: unknown): IceServer {
  const { urls, username, credential } = fields(untrusted, 'an ICE server');
  const all = typeof urls === 'string' ? [urls] : list(urls, 8);
  if (!all.every((url) => typeof url === 'string')) throw bad('ICE URLs', urls);
  return {
    urls: all,
    ...(typeof username === 'string' ? { username } : {}),
    ...(typeof credential === 'string' ? { credential } : {}),
  };
}

const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= MAX_SDP_CHARACTERS;

function peers(untrusted: unknown): readonly PeerId[] {
  const all = list(untrusted, MAX_NEIGHBOURS);
  if (!all.every(isPeerId))
    throw bad(
      'peer ids',
      all.find((peer) => !isPeerId(peer)),
    );
  return all;
}

function count(untrusted: unknown): number {
  if (typeof untrusted === 'number' && Number.isSafeInteger(untrusted) && untrusted >= 0) return untrusted;
  throw bad('a count', untrusted);
}

function list(untrusted: unknown, most: number): readonly unknown[] {
  if (Array.isArray(untrusted) && untrusted.length <= most) return untrusted;
  throw bad(`a list of at most ${most}`, untrusted);
}

function fields(untrusted: unknown, what: string): Record<string, unknown> {
  if (typeof untrusted === 'object' && untrusted !== null) return untrusted as Record<string, unknown>;
  throw bad(what, untrusted);
}

function bad(expected: string, got: unknown): P2PError {
  return new P2PError(
    'bad-message',
    `The signaling server sent something that breaks the protocol: expected ${expected}, got ${shown(got)}. Are page and server of the same version?`,
    { expected },
  );
}
