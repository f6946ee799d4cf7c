import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { P2PError } from '../../protocol/error.ts';
import { MAX_NEIGHBOURS, MAX_SDP_CHARACTERS, MAX_SWARMS } from '../../protocol/limits.ts';
import {
  parseClaimReply,
  parseDone,
  parseJoinReply,
  parseRelayedSignal,
  parseSwarmState,
} from '../../protocol/server-message.ts';

const PEER = 'a'.repeat(32);
const RESUME = 'b'.repeat(32);
const STATE = { swarm: 'https://school.test', size: 3, siteSize: 2, sites: 2, keeper: PEER, next: [PEER] };
const VIEW = { ...STATE, members: [PEER], others: [] };
const REPLY = { ok: true, peer: PEER, resume: RESUME, iceServers: [{ urls: ['stun:s.test'] }], swarms: [VIEW] };
const OFFER = { kind: 'offer', connection: 5, sdp: 'v=0' };
const CANDIDATE = { kind: 'candidate', connection: 5, candidate: 'candidate:1', mid: '0', line: 0 };

const CLAIM = { ok: true, crosser: PEER, since: 120, companyFor: 4000, told: 2 };

const isBad = (error: unknown): boolean => error instanceof P2PError && error.code === 'bad-message';

test('what the server says is read as it was said', () => {
  assert.deepEqual(parseJoinReply(REPLY), REPLY);
  assert.deepEqual(parseDone({ ok: true }), { ok: true });
  assert.deepEqual(parseSwarmState(STATE), STATE);
  assert.deepEqual(parseClaimReply(CLAIM), CLAIM);
  assert.deepEqual(parseClaimReply({ ...CLAIM, companyFor: null }), { ...CLAIM, companyFor: null });
  for (const signal of [OFFER, { ...OFFER, kind: 'answer' }, CANDIDATE, { ...CANDIDATE, mid: null, line: null }])
    assert.deepEqual(parseRelayedSignal({ from: PEER, sameSite: true, signal }), {
      from: PEER,
      sameSite: true,
      signal,
    });
});

test('fields that are not known do no harm', () => {
  assert.equal(parseDone({ ok: true, more: 1 }).ok, true);
  assert.equal(
    parseRelayedSignal({ from: PEER, sameSite: true, signal: { ...OFFER, more: true }, more: 1 }).from,
    PEER,
  );
});

test('a single ICE URL is taken as well as a list, with its credentials', () => {
  const reply = parseJoinReply({ ...REPLY, iceServers: [{ urls: 'turn:t.test', username: 'u', credential: 'c' }] });
  assert.ok(reply.ok);
  assert.deepEqual(reply.iceServers, [{ urls: 'turn:t.test', username: 'u', credential: 'c' }]);
});

test('a refusal is read from any kind of reply', () => {
  const refusal = { ok: false, code: 'unknown-peer', message: 'gone', retryAfter: 3 };
  assert.deepEqual(parseDone(refusal), refusal);
  assert.deepEqual(parseJoinReply(refusal), refusal);
  assert.deepEqual(parseClaimReply(refusal), refusal);
});

const TOO_MANY_PEERS = Array(MAX_NEIGHBOURS + 1).fill(PEER);

for (const [what, parse, untrusted] of [
  ['a reply that is nothing', parseJoinReply, undefined],
  ['a reply without a peer id', parseJoinReply, { ...REPLY, peer: 'me' }],
  ['a reply without a resume secret', parseJoinReply, { ...REPLY, resume: undefined }],
  ['a reply with too many swarms', parseJoinReply, { ...REPLY, swarms: Array(MAX_SWARMS + 1).fill(VIEW) }],
  ['a reply with too many members', parseJoinReply, { ...REPLY, swarms: [{ ...VIEW, members: TOO_MANY_PEERS }] }],
  ['a reply with members that are no ids', parseJoinReply, { ...REPLY, swarms: [{ ...VIEW, others: ['x'] }] }],
  ['an ICE server without URLs', parseJoinReply, { ...REPLY, iceServers: [{}] }],
  ['an ICE server with a number for a URL', parseJoinReply, { ...REPLY, iceServers: [{ urls: [1] }] }],
  ['a refusal for an unknown reason', parseDone, { ok: false, code: 'mood' }],
  ['a done that is a text', parseDone, 'ok'],
  ['a claim without a crosser', parseClaimReply, { ...CLAIM, crosser: undefined }],
  ['a claim of the future', parseClaimReply, { ...CLAIM, since: -1 }],
  ['a claim of half a millisecond', parseClaimReply, { ...CLAIM, since: 0.5 }],
  ['a claim of all times', parseClaimReply, { ...CLAIM, since: Infinity }],
  ['a claim with company of no age', parseClaimReply, { ...CLAIM, companyFor: 'long' }],
  ['a claim that does not say who was told before', parseClaimReply, { ...CLAIM, told: undefined }],
  ['a claim that is neither done nor refused', parseClaimReply, { ...CLAIM, ok: 1 }],
  ['a swarm without a keeper', parseSwarmState, { ...STATE, keeper: null }],
  ['a swarm of negative size', parseSwarmState, { ...STATE, size: -1 }],
  ['a swarm of half a peer', parseSwarmState, { ...STATE, siteSize: 0.5 }],
  ['a swarm with a control character', parseSwarmState, { ...STATE, swarm: 'a\nb' }],
  ['a signal from nobody', parseRelayedSignal, { signal: OFFER }],
  ['a signal of no kind', parseRelayedSignal, { from: PEER, sameSite: true, signal: { connection: 1 } }],
  ['a signal without a site', parseRelayedSignal, { from: PEER, signal: OFFER }],
  ['an offer without SDP', parseRelayedSignal, { from: PEER, sameSite: true, signal: { ...OFFER, sdp: undefined } }],
  [
    'an offer with endless SDP',
    parseRelayedSignal,
    { from: PEER, sameSite: true, signal: { ...OFFER, sdp: 'x'.repeat(MAX_SDP_CHARACTERS + 1) } },
  ],
  [
    'a candidate that is no text',
    parseRelayedSignal,
    { from: PEER, sameSite: true, signal: { ...CANDIDATE, candidate: {} } },
  ],
  [
    'a connection number of 33 bits',
    parseRelayedSignal,
    { from: PEER, sameSite: true, signal: { ...OFFER, connection: 2 ** 32 } },
  ],
  [
    'a connection number below 0',
    parseRelayedSignal,
    { from: PEER, sameSite: true, signal: { ...OFFER, connection: -1 } },
  ],
  [
    'a kind with a toString of its own',
    parseRelayedSignal,
    { from: PEER, sameSite: true, signal: { kind: { toString: 1, valueOf: 1 }, connection: 1 } },
  ],
] as [string, (untrusted: unknown) => unknown, unknown][]) {
  test(`${what} is refused`, () => {
    assert.throws(() => parse(untrusted), isBad);
  });
}

test('whatever comes, nothing but a P2PError is thrown', () => {
  const odd = fc.constantFrom<unknown>(
    { toString: 1, valueOf: 1 },
    Object.create(null),
    PEER,
    [PEER],
    VIEW,
    OFFER,
    Symbol('s'),
    1n,
  );
  const value = fc.oneof(fc.anything({ withNullPrototype: true }), odd);
  const names = [
    'ok',
    'peer',
    'resume',
    'iceServers',
    'swarms',
    'swarm',
    'size',
    'siteSize',
    'sites',
    'keeper',
    'next',
    'members',
    'others',
    'from',
    'signal',
    'kind',
    'connection',
    'sdp',
    'candidate',
    'code',
    'urls',
    'crosser',
    'since',
    'companyFor',
    'told',
  ];
  const spoilt = fc
    .tuple(
      fc.constantFrom<object>(
        REPLY,
        STATE,
        CLAIM,
        { from: PEER, sameSite: true, signal: OFFER },
        { from: PEER, sameSite: true, signal: CANDIDATE },
      ),
      fc.constantFrom(...names),
      value,
    )
    .map(([message, name, bad]) => ({ ...message, [name]: bad }));
  fc.assert(
    fc.property(fc.oneof(value, spoilt), (untrusted) => {
      for (const parse of [parseJoinReply, parseClaimReply, parseDone, parseRelayedSignal, parseSwarmState]) {
        try {
          parse(untrusted);
        } catch (error) {
          if (!isBad(error)) throw error;
        }
      }
    }),
    { numRuns: 1000 },
  );
});
