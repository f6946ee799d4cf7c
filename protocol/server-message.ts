/** What the server says, from `unknown` to typed. The one parser of the client's side of signaling. */
import { P2PError } from './error.ts';
import { isPeerId } from './ids.ts';
import { isSwarmId } from './swarm.ts';
import { isHex } from './hex.ts';
import { ID_BYTES, MAX_NEIGHBOURS, MAX_SDP_CHARACTERS, MAX_SWARMS } from './limits.ts';
import { shown } from './shown.ts';
import type { ClaimReply, Done, JoinReply, Refusal, RelayedSignal, SwarmState } from './signaling.ts';

type Check = (value: unknown) => boolean;
type Fields = Readonly<Record<string, Check>>;

const isText: Check = (value) => typeof value === 'string' && value.length <= MAX_SDP_CHARACTERS;
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isConnection: Check = (value) => isCount(value) && (value as number) < 2 ** 32;
const is =
  (...allowed: readonly unknown[]): Check =>
  (value) =>
    allowed.includes(value);
const maybe =
  (check: Check): Check =>
  (value) =>
    value === undefined || value === null || check(value);
const list =
  (check: Check, most: number): Check =>
  (value) =>
    Array.isArray(value) && value.length <= most && value.every(check);
const has =
  (fields: Fields): Check =>
  (value) =>
    wrongField(value, fields) === null;

const PEERS = list(isPeerId, MAX_NEIGHBOURS);
const STATE: Fields = {
  swarm: isSwarmId,
  size: isCount,
  siteSize: isCount,
  sites: isCount,
  keeper: isPeerId,
  next: PEERS,
};
const ICE_SERVER: Fields = {
  urls: (value) => isText(value) || list(isText, 8)(value),
  username: maybe(isText),
  credential: maybe(isText),
};
/** A later server may have codes that we don't know: they mean no, like the others. */
const REFUSAL: Fields = { ok: is(false), code: isText, message: isText, retryAfter: maybe(isCount) };
const DESCRIPTION: Fields = { kind: is('offer', 'answer'), connection: isConnection, sdp: isText };
const CANDIDATE: Fields = {
  kind: is('candidate'),
  connection: isConnection,
  candidate: isText,
  mid: maybe(isText),
  line: maybe(isCount),
};

const REFUSED_OFFER: Fields = { kind: is('refuse'), connection: isConnection };

type ReplyParser<T> = (untrusted: unknown) => T | Refusal;

/** A parser of the server's answer to a question, which may be a no. */
const replyParser =
  (fields: Fields): ReplyParser<unknown> =>
  (untrusted) =>
    isRefusal(untrusted) ? untrusted : parsed(untrusted, { ok: is(true), ...fields });

/** @throws P2PError `bad-message` */
export const parseJoinReply = replyParser({
  peer: isPeerId,
  resume: (value) => isHex(value, ID_BYTES),
  iceServers: list(has(ICE_SERVER), 16),
  iceTTL: maybe(isCount),
  swarms: list(has({ ...STATE, members: PEERS, others: PEERS }), MAX_SWARMS),
  off: maybe(is('holdout', 'switched-off')),
}) as ReplyParser<JoinReply>;

/** @throws P2PError `bad-message` */
export const parseClaimReply = replyParser({
  crosser: isPeerId,
  since: isCount,
  companyFor: maybe(isCount),
  told: isCount,
}) as ReplyParser<ClaimReply>;

/** @throws P2PError `bad-message` */
export const parseDone = replyParser({}) as ReplyParser<Done>;

/** @throws P2PError `bad-message` */
export const parseRelayedSignal = (untrusted: unknown): RelayedSignal =>
  parsed(untrusted, {
    from: isPeerId,
    sameSite: is(true, false),
    signal: (value) => [DESCRIPTION, CANDIDATE, REFUSED_OFFER].some((kind) => has(kind)(value)),
  }) as RelayedSignal;

/** @throws P2PError `bad-message` */
export const parseSwarmState = (untrusted: unknown): SwarmState => parsed(untrusted, STATE) as SwarmState;

const isRefusal = (untrusted: unknown): untrusted is Refusal => has(REFUSAL)(untrusted);

/** The message itself, whose listed fields are now known to be right. */
function parsed(untrusted: unknown, fields: Fields): unknown {
  const wrong = wrongField(untrusted, fields);
  if (wrong === null) return untrusted;
  throw new P2PError(
    'bad-message',
    `The signaling server broke the protocol: ${wrong} is not as expected (${shown(untrusted)}). Is it of the page's version?`,
    { wrong },
  );
}

/** Name of the first field that is not as it should be; null: all are. */
function wrongField(untrusted: unknown, fields: Fields): string | null {
  if (typeof untrusted !== 'object' || untrusted === null) return 'the message';
  const values = untrusted as Readonly<Record<string, unknown>>;
  return Object.keys(fields).find((name) => fields[name]?.(values[name]) !== true) ?? null;
}
