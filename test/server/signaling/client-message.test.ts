import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { MAX_SDP_CHARACTERS, MAX_SWARM_ID_CHARACTERS, MAX_SWARMS } from '../../../protocol/limits.ts';
import {
  parseClaim,
  parseJoin,
  parseLeave,
  parseReport,
  parseSignal,
  type ParsedMessage,
} from '../../../server/signaling/client-message.ts';

const peer = 'ab'.repeat(16);
const offer = { kind: 'offer', connection: 1, sdp: 'v=0\r\n' };

function valueOf<T>(parsed: ParsedMessage<T>): T {
  if (!parsed.ok) assert.fail(parsed.message);
  return parsed.value;
}

function refusalOf(parsed: ParsedMessage<unknown>) {
  if (parsed.ok) assert.fail('was accepted');
  return parsed;
}

test('a join has version, swarms and perhaps a resume secret, an epoch and a token', () => {
  assert.deepEqual(valueOf(parseJoin({ version: 1, swarms: [], token: 'a.b.c' })), {
    version: 1,
    swarms: [],
    token: 'a.b.c',
  });
  assert.deepEqual(valueOf(parseJoin({ version: 1, swarms: ['a', 'b'] })), { version: 1, swarms: ['a', 'b'] });
  assert.deepEqual(valueOf(parseJoin({ version: 1, swarms: [], resume: peer })), {
    version: 1,
    swarms: [],
    resume: peer,
  });
  assert.deepEqual(valueOf(parseJoin({ version: 1, swarms: [], epoch: 7 })), { version: 1, swarms: [], epoch: 7 });
  assert.deepEqual(
    valueOf(parseJoin({ version: 1, swarms: ['a', 'b', 'a'] })).swarms,
    ['a', 'b'],
    'a swarm named twice counts once',
  );
});

test('fields that are not ours are ignored, also those that every object has', () => {
  const untrusted: unknown = JSON.parse(
    '{"version":1,"swarms":["__proto__","constructor"],"__proto__":{"x":1},"constructor":1,"secret":"t"}',
  );
  const value = valueOf(parseJoin(untrusted));
  assert.deepEqual(value, { version: 1, swarms: ['__proto__', 'constructor'] });
  assert.equal(({} as { x?: number }).x, undefined);
});

test('another version of the protocol is told apart from a bad message', () => {
  assert.equal(refusalOf(parseJoin({ version: 2, swarms: [] })).code, 'wrong-version');
  assert.equal(refusalOf(parseJoin({ version: 0 })).code, 'wrong-version');
  assert.equal(refusalOf(parseJoin({ version: '1', swarms: [] })).code, 'bad-message');
});

test('more swarms than a peer may be in are refused as such', () => {
  const swarms = Array.from({ length: MAX_SWARMS + 1 }, (_, index) => `s${index}`);
  assert.equal(refusalOf(parseJoin({ version: 1, swarms })).code, 'too-many-swarms');
  assert.equal(refusalOf(parseLeave({ swarms })).code, 'too-many-swarms');
  assert.ok(parseJoin({ version: 1, swarms: swarms.slice(1) }).ok);
});

test('a refusal says what was expected and where, and does not repeat what came', () => {
  const cases: [unknown, RegExp][] = [
    [undefined, /Expected "join" to carry \{ version, swarms, resume\?, epoch\?, token\?, lot\? \}/],
    [{ version: 1 }, /"swarms" must be/],
    [{ version: 1, swarms: 'a' }, /"swarms" must be an array of swarm ids/],
    [{ version: 1, swarms: [''] }, /"swarms.0" must be a swarm id of 1 to 512 characters/],
    [{ version: 1, swarms: ['a\nb'] }, /"swarms.0"/],
    [{ version: 1, swarms: ['x'.repeat(MAX_SWARM_ID_CHARACTERS + 1)] }, /"swarms.0"/],
    [{ version: 1, swarms: [], resume: 'SECRET' }, /"resume" must be 32 lower-case hex digits/],
    [{ version: 1, swarms: [], resume: null }, /"resume"/],
    [{ version: 1, swarms: [], epoch: -1 }, /"epoch" must be an integer from 0 to/],
    [{ version: 1, swarms: [], epoch: 1.5 }, /"epoch"/],
    [{ version: 1, swarms: [], token: 'SECRET'.repeat(1000) }, /"token" must be text of at most 4096 characters/],
    [{ version: 1, swarms: [], token: { SECRET: 1 } }, /"token"/],
  ];
  for (const [untrusted, expected] of cases) {
    const { code, message } = refusalOf(parseJoin(untrusted));
    assert.equal(code, 'bad-message');
    assert.match(message, expected);
    assert.ok(!message.includes('SECRET') && message.length < 300);
  }
});

test('a report names one peer', () => {
  assert.deepEqual(valueOf(parseReport({ peer, why: 'x' })), { peer });
  for (const untrusted of [undefined, null, [], {}, { peer: 'x' }, { peer: [peer] }])
    assert.equal(refusalOf(parseReport(untrusted)).code, 'bad-message');
});

test('offers, answers and candidates are signals', () => {
  for (const signal of [
    offer,
    { kind: 'answer', connection: 0, sdp: '' },
    { kind: 'candidate', connection: 0xffff_ffff, candidate: 'candidate:1', mid: '0', line: 0 },
    { kind: 'candidate', connection: 1, candidate: '', mid: null, line: null },
  ]) {
    assert.deepEqual(valueOf(parseSignal({ to: peer, signal: { ...signal, extra: 1 } })), { to: peer, signal });
  }
});

test('signals with anything missing, too long or of the wrong type are refused', () => {
  const candidate = { kind: 'candidate', connection: 1, candidate: 'c', mid: null, line: null };
  for (const signal of [
    null,
    {},
    [],
    'offer',
    { ...offer, kind: 'rollback' },
    { ...offer, kind: '__proto__' },
    { ...offer, connection: -1 },
    { ...offer, connection: 1.5 },
    { ...offer, connection: NaN },
    { ...offer, connection: 2 ** 32 },
    { ...offer, sdp: 'x'.repeat(MAX_SDP_CHARACTERS + 1) },
    { ...offer, sdp: new Uint8Array(3) },
    { kind: 'offer', connection: 1 },
    { ...candidate, mid: undefined },
    { ...candidate, mid: 'x'.repeat(65) },
    { ...candidate, line: -1 },
    { ...candidate, line: '0' },
    { ...candidate, candidate: 7 },
  ]) {
    assert.equal(refusalOf(parseSignal({ to: peer, signal })).code, 'bad-message', inspect(signal).slice(0, 80));
  }
  for (const to of [undefined, '', 'AB'.repeat(16), `${peer}0`, 5, ['x']])
    assert.equal(refusalOf(parseSignal({ to, signal: offer })).code, 'bad-message');
});

/** Values like ours, and like nothing of ours. */
const anything = fc.oneof(
  fc.anything({
    withNullPrototype: true,
    withTypedArray: true,
    withBigInt: true,
    withDate: true,
    withSparseArray: true,
  }),
  fc.record(
    {
      version: fc.oneof(fc.constant(1), fc.anything()),
      swarms: fc.oneof(fc.array(fc.oneof(fc.string(), fc.anything())), fc.anything()),
      resume: fc.anything(),
      epoch: fc.anything(),
      to: fc.oneof(fc.constant(peer), fc.anything()),
      signal: fc.oneof(
        fc.record(
          {
            kind: fc.constantFrom('offer', 'answer', 'candidate', 'x'),
            connection: fc.oneof(fc.nat(), fc.anything()),
            sdp: fc.oneof(fc.string(), fc.anything()),
          },
          { requiredKeys: [] },
        ),
        fc.anything(),
      ),
    },
    { requiredKeys: [] },
  ),
);

test('whatever comes is accepted as ours or refused in words, never thrown at', () => {
  fc.assert(
    fc.property(anything, (untrusted) => {
      for (const parse of [parseJoin, parseLeave, parseSignal]) {
        const parsed = parse(untrusted);
        if (!parsed.ok) {
          assert.ok(['bad-message', 'wrong-version', 'too-many-swarms'].includes(parsed.code));
          assert.ok(parsed.message.length > 10 && parsed.message.length < 300);
        }
      }
    }),
    { numRuns: 500 },
  );
});

test('what is accepted is accepted again as it was understood', () => {
  const swarm = fc.string({ minLength: 1, maxLength: 40 }).filter((text) => !/[\u0000-\u001f\u007f]/.test(text));
  fc.assert(
    fc.property(fc.uniqueArray(swarm, { maxLength: MAX_SWARMS }), (swarms) => {
      const value = valueOf(parseJoin({ version: 1, swarms }));
      assert.deepEqual(valueOf(parseJoin(JSON.parse(JSON.stringify(value)))), value);
    }),
  );
});

const claim = { swarm: 'a', digest: '0f'.repeat(32) };

test('a claim has a swarm, a digest and perhaps whom it replaces; what else it has is ignored', () => {
  assert.deepEqual(valueOf(parseClaim(claim)), claim);
  assert.deepEqual(valueOf(parseClaim({ ...claim, instead: peer, junk: 1 })), { ...claim, instead: peer });
  assert.deepEqual(valueOf(parseClaim({ ...claim, quiet: true })), { ...claim, quiet: true });
  assert.deepEqual(valueOf(parseClaim({ ...claim, quiet: false })), { ...claim, quiet: false });
});

for (const [what, untrusted, words] of [
  ['nothing', undefined, /Expected "claim" to carry \{ swarm, digest, instead\?, quiet\? \}/],
  ['no swarm', { ...claim, swarm: '' }, /"swarm" must be/],
  ['a swarm of many lines', { ...claim, swarm: 'a\nb' }, /"swarm" must be/],
  ['a swarm that is an array', { ...claim, swarm: ['a'] }, /"swarm" must be/],
  ['half a digest', { ...claim, digest: '0f'.repeat(16) }, /"digest" must be/],
  ['a digest in capitals', { ...claim, digest: '0F'.repeat(32) }, /"digest" must be/],
  ['somebody without an id', { ...claim, instead: 'me' }, /"instead" must be/],
  ['a word for quiet', { ...claim, quiet: 'yes' }, /"quiet" must be/],
  ['null in place of somebody', { ...claim, instead: null }, /"instead" must be/],
] as [string, unknown, RegExp][])
  test(`a claim with ${what} is refused in words`, () => {
    const { code, message } = refusalOf(parseClaim(untrusted));
    assert.equal(code, 'bad-message');
    assert.match(message, words);
  });

test('whatever is claimed, the parser accepts or refuses, and says little', () => {
  const odd = fc.oneof(fc.anything({ withNullPrototype: true }), fc.constant(peer), fc.constant('0f'.repeat(32)));
  const spoilt = fc.record({ swarm: odd, digest: odd, instead: odd });
  fc.assert(
    fc.property(fc.oneof(odd, spoilt), (untrusted) => {
      const parsed = parseClaim(untrusted);
      if (!parsed.ok) assert.ok(parsed.message.length < 300);
    }),
    { numRuns: 500 },
  );
});
