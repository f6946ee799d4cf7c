import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Decoder, Encoder, PacketType, type Packet as TheirPacket } from 'socket.io-parser';
import { CONNECT, eventPacket, parsePacket } from '../../../../mesh/io/signaling/packet.ts';

/** As socket.io itself reads it. */
function read(text: string): TheirPacket {
  let read: TheirPacket | undefined;
  const decoder = new Decoder();
  decoder.on('decoded', (packet) => (read = packet));
  decoder.add(text);
  assert.ok(read);
  return read;
}

/** As socket.io itself writes it. */
const write = (packet: Omit<TheirPacket, 'nsp'>): string => String(new Encoder().encode({ ...packet, nsp: '/' })[0]);

const json = fc.jsonValue({ maxDepth: 3 });

test('socket.io reads what we write', () => {
  assert.equal(read(CONNECT).type, PacketType.CONNECT);
  fc.assert(
    fc.property(fc.constantFrom('join', 'signal'), fc.dictionary(fc.string(), json), fc.nat(), (name, value, id) => {
      const data = JSON.parse(JSON.stringify([name, value])) as unknown;
      assert.deepEqual(read(eventPacket(name, value, id)), { type: PacketType.EVENT, nsp: '/', id, data });
      assert.deepEqual(read(eventPacket(name, value, '')), { type: PacketType.EVENT, nsp: '/', data });
    }),
  );
});

test('we read what socket.io writes', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), json, fc.nat(), (name, value, id) => {
      const untrusted = JSON.parse(JSON.stringify(value)) as unknown;
      assert.deepEqual(parsePacket(write({ type: PacketType.EVENT, data: [name, value] })), {
        kind: 'event',
        name,
        untrusted,
      });
      assert.deepEqual(parsePacket(write({ type: PacketType.ACK, id, data: [value] })), {
        kind: 'answer',
        id,
        untrusted,
      });
    }),
  );
  assert.deepEqual(parsePacket(write({ type: PacketType.CONNECT, data: { sid: 'abc' } })), { kind: 'connect' });
  assert.deepEqual(parsePacket(write({ type: PacketType.DISCONNECT, data: undefined })), { kind: 'disconnect' });
  assert.deepEqual(parsePacket(write({ type: PacketType.CONNECT_ERROR, data: { message: 'full' } })), {
    kind: 'refused',
    reason: 'full',
    retryAfter: 0,
  });
});

test('a refusal says after how many seconds to come again, if it is a number of them', () => {
  const retryAfter = (data: unknown): unknown => {
    const packet = parsePacket(write({ type: PacketType.CONNECT_ERROR, data: { message: 'full', data } }));
    return packet?.kind === 'refused' && packet.retryAfter;
  };
  assert.equal(retryAfter({ code: 'full', retryAfter: 15 }), 15);
  for (const data of [undefined, null, 'x', {}, { retryAfter: 'soon' }, { retryAfter: null }])
    assert.equal(retryAfter(data), 0, JSON.stringify(data));
  assert.equal(retryAfter({ retryAfter: -5 }), 0);
  assert.equal(retryAfter({ retryAfter: 1e9 }), 3600, 'a timer takes no more than 24 days');
  for (const text of ['4', '4null', '4"x"', '4[]', '4{"message":1,"data":7}'])
    assert.equal(parsePacket(text)?.kind, 'refused', text);
});

test('whatever comes, it is a packet or null, and nothing is thrown', () => {
  const almost = fc
    .tuple(fc.constantFrom('0', '1', '2', '3', '4', '5', '6'), fc.string())
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        almost,
        json.map((value) => JSON.stringify(value)),
      ),
      (text) => {
        const packet = parsePacket(text);
        if (packet?.kind === 'event') assert.equal(typeof packet.name, 'string');
        if (packet?.kind === 'answer') assert.ok(Number.isInteger(packet.id) && packet.id >= 0);
      },
    ),
  );
});
