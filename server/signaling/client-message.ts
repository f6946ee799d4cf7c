/** The one parser of what clients send to the signaling server. Fields that are not ours are ignored. */
import * as v from 'valibot';
import { LOTS } from '../../protocol/beacon.ts';
import { isHex } from '../../protocol/hex.ts';
import { isDigest, isPeerId, type Digest, type PeerId, type SwarmId } from '../../protocol/ids.ts';
import { isSwarmId } from '../../protocol/swarm.ts';
import {
  ID_BYTES,
  MAX_SDP_CHARACTERS,
  MAX_SWARM_ID_CHARACTERS,
  MAX_SWARMS,
  PROTOCOL_VERSION,
} from '../../protocol/limits.ts';
import type {
  ClaimRequest,
  JoinRequest,
  LeaveRequest,
  Refusal,
  RefusalCode,
  ReportRequest,
  SignalRequest,
} from '../../protocol/signaling.ts';
import { MAX_TOKEN_CHARACTERS } from '../admission/limits.ts';
import { MAX_MID_CHARACTERS } from '../limits.ts';

export type ParsedMessage<T> = { readonly ok: true; readonly value: T } | Refusal;

export const refusal = (code: RefusalCode, message: string, retryAfter?: number): Refusal => ({
  ok: false,
  code,
  message,
  ...(retryAfter === undefined ? {} : { retryAfter }),
});

const peer = v.custom<PeerId>(isPeerId, '32 lower-case hex digits');
const swarm = v.custom<SwarmId>(
  isSwarmId,
  `a swarm id of 1 to ${MAX_SWARM_ID_CHARACTERS} characters without control characters`,
);
const swarms = v.array(swarm, 'an array of swarm ids');
const resume = v.custom<string>((value) => isHex(value, ID_BYTES), '32 lower-case hex digits');
const integer = (max: number) =>
  v.pipe(
    v.number(`an integer from 0 to ${max}`),
    v.integer(`an integer from 0 to ${max}`),
    v.minValue(0, `an integer from 0 to ${max}`),
    v.maxValue(max, `an integer from 0 to ${max}`),
  );
const text = (max: number) =>
  v.pipe(v.string(`text of at most ${max} characters`), v.maxLength(max, `text of at most ${max} characters`));

const joinSchema = v.object(
  {
    version: v.literal(PROTOCOL_VERSION),
    swarms,
    resume: v.exactOptional(resume),
    epoch: v.exactOptional(integer(Number.MAX_SAFE_INTEGER)),
    token: v.exactOptional(text(MAX_TOKEN_CHARACTERS)),
    lot: v.exactOptional(integer(LOTS - 1)),
  },
  'an object',
);
const leaveSchema = v.object({ swarms }, 'an object');
const reportSchema = v.object({ peer }, 'an object');
const digest = v.custom<Digest>(isDigest, '64 lower-case hex digits');
const claimSchema = v.object(
  { swarm, digest, instead: v.exactOptional(peer), quiet: v.exactOptional(v.boolean()) },
  'an object',
);
const connection = integer(0xffff_ffff);
const signalSchema = v.object(
  {
    to: peer,
    signal: v.variant(
      'kind',
      [
        v.object({ kind: v.literal('offer'), connection, sdp: text(MAX_SDP_CHARACTERS) }),
        v.object({ kind: v.literal('answer'), connection, sdp: text(MAX_SDP_CHARACTERS) }),
        v.object({ kind: v.literal('refuse'), connection }),
        v.object({
          kind: v.literal('candidate'),
          connection,
          candidate: text(MAX_SDP_CHARACTERS),
          mid: v.nullable(text(MAX_MID_CHARACTERS)),
          line: v.nullable(integer(0xffff)),
        }),
      ],
      'a signal with the kind offer, answer, refuse or candidate',
    ),
  },
  'an object',
);

/** Parses a JoinRequest; swarms that are named twice count once. */
export function parseJoin(untrusted: unknown): ParsedMessage<JoinRequest> {
  const version = fieldOf(untrusted, 'version');
  if (typeof version === 'number' && version !== PROTOCOL_VERSION) {
    return refusal(
      'wrong-version',
      `This server speaks version ${PROTOCOL_VERSION} of the protocol, not ${version}. Load the kit from this server, or update the server.`,
    );
  }
  if (hasTooManySwarms(untrusted)) return tooManySwarms();
  const parsed = v.safeParse(joinSchema, untrusted);
  if (!parsed.success) return bad('join', '{ version, swarms, resume?, epoch?, token?, lot? }', parsed.issues);
  const { swarms } = parsed.output;
  return { ok: true, value: { ...parsed.output, swarms: swarms.length > 1 ? [...new Set(swarms)] : swarms } };
}

/** Parses a LeaveRequest. */
export function parseLeave(untrusted: unknown): ParsedMessage<LeaveRequest> {
  if (hasTooManySwarms(untrusted)) return tooManySwarms();
  const parsed = v.safeParse(leaveSchema, untrusted);
  return parsed.success ? { ok: true, value: parsed.output } : bad('leave', '{ swarms }', parsed.issues);
}

/** Parses a ReportRequest. */
export function parseReport(untrusted: unknown): ParsedMessage<ReportRequest> {
  const parsed = v.safeParse(reportSchema, untrusted);
  return parsed.success ? { ok: true, value: parsed.output } : bad('report', '{ peer }', parsed.issues);
}

/** Parses a ClaimRequest. */
export function parseClaim(untrusted: unknown): ParsedMessage<ClaimRequest> {
  const parsed = v.safeParse(claimSchema, untrusted);
  if (parsed.success) return { ok: true, value: parsed.output };
  return bad('claim', '{ swarm, digest, instead?, quiet? }', parsed.issues);
}

/** Parses a SignalRequest. */
export function parseSignal(untrusted: unknown): ParsedMessage<SignalRequest> {
  const parsed = v.safeParse(signalSchema, untrusted, { abortEarly: true });
  return parsed.success ? { ok: true, value: parsed.output } : bad('signal', '{ to, signal }', parsed.issues);
}

export const tooManySwarms = (): Refusal =>
  refusal('too-many-swarms', `A peer can be in ${MAX_SWARMS} swarms at a time. Leave some first.`);

/** Checked before the items are, so that a long array costs nothing. */
function hasTooManySwarms(untrusted: unknown): boolean {
  const named = fieldOf(untrusted, 'swarms');
  return Array.isArray(named) && named.length > MAX_SWARMS;
}

const fieldOf = (untrusted: unknown, name: string): unknown =>
  typeof untrusted === 'object' && untrusted !== null ? (untrusted as Record<string, unknown>)[name] : undefined;

/** Says what was expected where, never what came: that may be long, and may be somebody's. */
export function bad(
  event: string,
  shape: string,
  [issue]: readonly [v.BaseIssue<unknown>, ...v.BaseIssue<unknown>[]],
): Refusal {
  const where = v.getDotPath(issue);
  const detail = where === null ? '' : `; "${where}" must be ${describe(issue)}`;
  return refusal('bad-message', `Expected "${event}" to carry ${shape}${detail}. See docs/wire.md.`);
}

/** Our own messages say it in words; valibot's own begin with "Invalid". */
const describe = (issue: v.BaseIssue<unknown>): string =>
  issue.message.startsWith('Invalid') ? (issue.expected ?? 'given') : issue.message;
