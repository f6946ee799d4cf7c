import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as theirs from 'socket.io-parser';
import { Encoder, parsePacket, textParser, type Packet } from '../../../../server/signaling/transport/text-parser.ts';

const json = fc.jsonValue({ maxDepth: 2 });
const id = fc.option(fc.nat(), { nil: undefined });
const name = fc.constantFrom('join', 'signal', '__proto__', 'constructor');
const fromClients: fc.Arbitrary<Packet> = fc.oneof(
  fc.record({
    type: fc.constant(0),
    nsp: fc.constant('/'),
    data: fc.option(fc.dictionary(fc.string(), json), { nil: undefined }),
  }),
  fc.record({ type: fc.constant(1), nsp: fc.constant('/') }),
  fc.record({ type: fc.constant(2), nsp: fc.constant('/'), id, data: fc.tuple(name, json) }),
);
const fromServers: fc.Arbitrary<Packet> = fc.oneof(
  fromClients,
  fc.record({ type: fc.constant(3), nsp: fc.constantFrom('/', '/admin'), id, data: fc.array(json) }),
  fc.record({
    type: fc.constant(4),
    nsp: fc.constantFrom('/', '/admin'),
    data: fc.record({ message: fc.string() }),
  }),
);

const plain = (packet: unknown): unknown => JSON.parse(JSON.stringify(packet));

const theirText = (packet: Packet): string =>
  String(new theirs.Encoder().encode(packet as unknown as theirs.Packet)[0]);

/** What a decoder makes of these, in order: packets, and the reason for which it ended the connection. */
function decode(...parts: unknown[]): unknown[] {
  const seen: unknown[] = [];
  const { Decoder } = textParser((reason) => void seen.push(reason));
  const decoder = new Decoder();
  decoder.on('decoded', (packet) => void seen.push(packet.data));
  for (const part of parts) {
    try {
      decoder.add(part);
    } catch (error) {
      assert.ok(error instanceof Error);
      return seen;
    }
  }
  return seen;
}

test('packets are written as socket.io writes them', () => {
  fc.assert(fc.property(fromServers, (packet) => assert.deepEqual(new Encoder().encode(packet), [theirText(packet)])));
});

test('what socket.io writes for clients is read as it was', () => {
  fc.assert(
    fc.property(fromClients, (packet) => assert.deepEqual(plain(parsePacket(theirText(packet))), plain(packet))),
  );
});

test('what socket.io refuses is refused, and nothing else comes of any text', () => {
  const text = fc.oneof(
    fc.string(),
    fc.stringMatching(/^[0-7][0-9/,\-[\]{}"a-z]{0,20}$/),
    fromServers.map((packet) => theirText(packet).slice(0, -1)),
  );
  fc.assert(
    fc.property(text, (untrusted) => {
      const ours = parsePacket(untrusted);
      const reference: unknown[] = [];
      const decoder = new theirs.Decoder();
      decoder.on('decoded', (packet: object) => void reference.push(packet));
      try {
        decoder.add(untrusted);
      } catch {
        assert.equal(ours, undefined);
        return;
      }
      if (ours !== undefined) assert.deepEqual(plain(ours), plain(reference[0]));
    }),
    { numRuns: 2000 },
  );
});

test('other namespaces, answers, errors and binary parts end the connection', () => {
  const wrong = [
    '2/admin,["join"]',
    '0/admin',
    '31[]',
    '4{"message":"x"}',
    '51-["join"]',
    '61-1[]',
    Buffer.from('x'),
    '',
    '9',
  ];
  for (const packet of wrong) assert.deepEqual(decode('0', packet), [undefined, 'bad-packet'], String(packet));
});

test('CONNECT comes first, and once', () => {
  assert.deepEqual(decode('2["join"]'), ['bad-packet']);
  assert.deepEqual(decode('0', '2["join"]', '0'), [undefined, ['join'], 'second-connect']);
});

test('a decoder that was destroyed says nothing more', () => {
  const { Decoder } = textParser(() => undefined);
  const decoder = new Decoder();
  const seen: unknown[] = [];
  decoder.on('decoded', (packet) => void seen.push(packet));
  decoder.destroy();
  decoder.add('0');
  assert.deepEqual(seen, []);
});
