import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { P2PError } from '../../protocol/error.ts';
import { FrameAssembler } from '../../protocol/frame.ts';
import { fromHex, toHex } from '../../protocol/hex.ts';
import type { Digest, SwarmKey } from '../../protocol/ids.ts';
import {
  BLOCK_BYTES,
  MAX_ASSET_BYTES,
  MAX_DIGESTS_PER_FRAME,
  MAX_SWARMS,
  MAX_WANTS,
  MIN_MESSAGE_BYTES,
} from '../../protocol/limits.ts';
import { carriesContent, parsePeerMessage, type PeerMessage } from '../../protocol/peer-message.ts';
import { readVectors } from './read-vectors.ts';
import { encodePeerMessage, fragmentsOf } from './fragments.ts';

const vectors = readVectors('frames') as { message: { type: string }; frame: string }[];

const hexOf = (bytes: number): fc.Arbitrary<string> => fc.uint8Array({ minLength: bytes, maxLength: bytes }).map(toHex);
const key = hexOf(16) as fc.Arbitrary<SwarmKey>;
const digests = fc.array(hexOf(32) as fc.Arbitrary<Digest>, { maxLength: 20 });
const request = fc.nat(2 ** 32 - 1);
const leaves = fc
  .integer({ min: 1, max: 20 * BLOCK_BYTES })
  .map((size) => ({ size, untrustedLeaves: new Uint8Array(Math.ceil(size / BLOCK_BYTES) * 32).fill(size) }));
const block = fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => Uint8Array.from(bytes));

const blocks = fc
  .uniqueArray(fc.nat(MAX_ASSET_BYTES / BLOCK_BYTES - 1), { minLength: 1, maxLength: 50 })
  .map((numbers) => numbers.sort((a, b) => a - b));

const REASONS = ['not-held', 'busy', 'later'] as const;

/** Objects like those of the parser. */
const OWN = { noNullPrototype: true } as const;

const anyMessage: fc.Arbitrary<PeerMessage> = fc.oneof(
  fc.record(
    { type: fc.constant('hello' as const), version: fc.nat(255), swarms: fc.array(key, { maxLength: MAX_SWARMS }) },
    OWN,
  ),
  fc.record({ type: fc.constantFrom('have' as const, 'lost' as const, 'queued' as const), swarm: key, digests }, OWN),
  fc.record(
    {
      type: fc.constant('fetching' as const),
      swarm: key,
      digest: hexOf(32) as fc.Arbitrary<Digest>,
      hops: fc.nat(255),
      lineRate: request,
    },
    OWN,
  ),
  fc.record(
    {
      type: fc.constant('want' as const),
      swarm: key,
      wants: fc.array(fc.record({ digest: hexOf(32) as fc.Arbitrary<Digest>, within: request }, OWN), {
        maxLength: MAX_WANTS,
      }),
    },
    OWN,
  ),
  fc.record(
    {
      type: fc.constant('request' as const),
      request,
      digest: hexOf(32) as fc.Arbitrary<Digest>,
      first: request,
      count: request,
      leaves: fc.boolean(),
    },
    OWN,
  ),
  fc.record(
    {
      type: fc.constant('pick' as const),
      request,
      digest: hexOf(32) as fc.Arbitrary<Digest>,
      blocks,
      leaves: fc.boolean(),
    },
    OWN,
  ),
  fc.record({ type: fc.constant('bitfield' as const), digest: hexOf(32) as fc.Arbitrary<Digest>, blocks }, OWN),
  fc.record({ type: fc.constant('credit' as const), bytes: request }, OWN),
  fc.tuple(request, leaves).map(([id, rest]) => ({ type: 'leaves' as const, request: id, ...rest })),
  fc.record({ type: fc.constant('block' as const), request, index: request, untrustedBlock: block }, OWN),
  fc.record({ type: fc.constantFrom('cancel' as const, 'ping' as const, 'pong' as const), request }, OWN),
  fc.record({ type: fc.constant('refuse' as const), request, reason: fc.constantFrom(...REASONS) }, OWN),
  fc.constant({ type: 'bye' as const }),
);

const isBadFrame = (error: unknown): boolean => error instanceof P2PError && error.code === 'bad-frame';
const parse = (type: number, payload: Uint8Array): PeerMessage =>
  parsePeerMessage({ type, request: 1, payload: Uint8Array.from(payload) });

/** A fixture has its bytes in hex. */
const revived = (message: object): PeerMessage =>
  Object.fromEntries(
    Object.entries(message).map(([name, value]) => [
      name,
      name.startsWith('untrusted') ? fromHex(String(value)) : (value as unknown),
    ]),
  ) as unknown as PeerMessage;

for (const { message, frame } of vectors) {
  test(`the ${message.type} frame ${frame.slice(0, 40)} is as documented, both ways`, () => {
    const parts = [...fragmentsOf(encodePeerMessage(revived(message)), MIN_MESSAGE_BYTES)];
    assert.deepEqual(parts.map(toHex), [frame]);
    assert.deepEqual(parsePeerMessage(new FrameAssembler().accept(fromHex(frame))!), revived(message));
  });
}

test('every type of message has a vector', () => {
  assert.equal(new Set(vectors.map(({ message }) => message.type)).size, 17);
});

test('what is encoded is parsed to the same message', () => {
  fc.assert(
    fc.property(anyMessage, (message) => assert.deepEqual(parsePeerMessage(encodePeerMessage(message)), message)),
  );
});

test('a payload of any bytes under any type is a message or a bad frame', () => {
  // A bitfield is 33 bytes and more, a pick 34, a request 41, a want of one asset 52, a fetching 53.
  const exact = [33, 34, 41, 52, 53].map((length) => fc.uint8Array({ minLength: length, maxLength: length }));
  const payload = fc.oneof(fc.uint8Array({ maxLength: 100 }), ...exact);
  fc.assert(
    fc.property(fc.nat(255), payload, (type, bytes) => {
      try {
        parse(type, bytes);
      } catch (error) {
        if (!isBadFrame(error)) throw error;
      }
    }),
    { numRuns: 1000 },
  );
});

for (const [what, type, payload] of [
  ['a hello without a version', 1, []],
  ['a hello with half a swarm key', 1, Array(9).fill(1)],
  ['a hello with one swarm too many', 1, Array(1 + 16 * (MAX_SWARMS + 1)).fill(1)],
  ['a have without a swarm', 2, Array(15).fill(1)],
  ['a have with one digest too many', 2, Array(16 + 32 * (MAX_DIGESTS_PER_FRAME + 1)).fill(1)],
  ['a lost with half a digest', 3, Array(16 + 40).fill(1)],
  ['a request that is too short', 4, Array(40).fill(1)],
  ['a request that is too long', 4, Array(42).fill(1)],
  ['leaves of nothing', 5, [0, 0, 0, 0]],
  ['leaves without a size', 5, [0, 0]],
  ['leaves that are too few', 5, [0, 1, 0, 1, ...new Array<number>(32).fill(1)]],
  ['a block without an index', 6, [0, 0, 0]],
  ['a block of no bytes', 6, [0, 0, 0, 0]],
  ['a block above 64 KiB', 6, Array(5 + BLOCK_BYTES).fill(0)],
  ['a refusal without a reason', 8, []],
  ['a refusal for an unknown reason', 8, [3]],
  ['a fetching without a place in the chain', 12, Array(48).fill(1)],
  ['a fetching with half a line rate', 12, Array(51).fill(1)],
  ['a fetching that is too long', 12, Array(54).fill(1)],
  ['an empty fetching', 12, []],
  ['a queued without a swarm', 13, Array(15).fill(1)],
  ['a queued with half a digest', 13, Array(16 + 31).fill(1)],
  ['a queued with one digest too many', 13, Array(16 + 32 * (MAX_DIGESTS_PER_FRAME + 1)).fill(1)],
  ['a want without a swarm', 14, []],
  ['a want without a time', 14, Array(16 + 32).fill(1)],
  ['a want with half a time', 14, Array(16 + 34).fill(1)],
  ['a want with one asset too many', 14, Array(16 + 36 * (MAX_WANTS + 1)).fill(1)],
  ['a pick without leaves, yes or no', 15, Array(32).fill(1)],
  ['a pick of no block', 15, Array(33).fill(1)],
  ['a pick of none of eight blocks', 15, [...new Array<number>(33).fill(1), 0]],
  ['a pick of a block that no asset has', 15, [...new Array<number>(33 + 128).fill(0), 0x80]],
  ['an empty bitfield', 16, []],
  ['a bitfield without blocks', 16, Array(32).fill(1)],
  ['a bitfield of a block that no asset has', 16, [...new Array<number>(32 + 128).fill(0), 0x80]],
  ['type 0', 0, []],
  ['a credit without bytes', 17, []],
  ['a type that is not spoken', 18, []],
] as [string, number, number[]][]) {
  test(`${what} is refused`, () => {
    assert.throws(() => parse(type, Uint8Array.from(payload)), isBadFrame);
  });
}

test('leaves of an asset above the limit are refused', () => {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(MAX_ASSET_BYTES + 1);
  assert.throws(() => parse(5, Buffer.concat([size, Buffer.alloc(1025 * 32)])), isBadFrame);
});

test('times and rates that no frame can carry are sent as the nearest that one can', () => {
  const swarm = '03'.repeat(16) as SwarmKey;
  const digest = '04'.repeat(32) as Digest;
  const sent = (message: PeerMessage): PeerMessage => parsePeerMessage(encodePeerMessage(message));
  const within = [Infinity, -5, 2 ** 40, 1.4].map((time) => {
    const message = sent({ type: 'want', swarm, wants: [{ digest, within: time }] });
    return message.type === 'want' && message.wants[0]?.within;
  });
  assert.deepEqual(within, [2 ** 32 - 1, 0, 2 ** 32 - 1, 1]);
  const fetching = sent({ type: 'fetching', swarm, digest, hops: 1, lineRate: 1e12 });
  assert.equal(fetching.type === 'fetching' && fetching.lineRate, 2 ** 32 - 1);
});

test('only blocks and leaves carry content', () => {
  assert.deepEqual(Array.from({ length: 256 }, (_, type) => type).filter(carriesContent), [5, 6]);
});

test('the error says what was expected and what came', () => {
  assert.throws(() => parse(4, new Uint8Array(3)), /expected digest of 32 bytes, got 3/);
});
