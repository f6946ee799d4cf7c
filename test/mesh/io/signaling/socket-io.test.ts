import assert from 'node:assert/strict';
import test from 'node:test';
import type { Clock } from '../../../../mesh/core/ports.ts';
import type { EngineIOListener } from '../../../../mesh/io/signaling/engine-io.ts';
import { CONNECT } from '../../../../mesh/io/signaling/packet.ts';
import { SocketIO } from '../../../../mesh/io/signaling/socket-io.ts';

const CLOCK: Clock = { now: () => 0, after: () => () => undefined };

/** A connection whose other end is played by the test. */
function connection(): { socket: SocketIO; server: EngineIOListener; sent: string[]; heard: string[] } {
  const sent: string[] = [];
  const heard: string[] = [];
  let server: EngineIOListener | undefined;
  const socket = new SocketIO(
    (_, listener) => {
      server = listener;
      return { send: (message) => sent.push(message), close: () => undefined };
    },
    'http://server.test',
    CLOCK,
    { connected: () => heard.push('connected'), event: (name) => heard.push(name) },
  );
  assert.ok(server);
  return { socket, server, sent, heard };
}

test('a connection that is over stays over, whatever still comes, as with a poll under way', async () => {
  const { socket, server, sent, heard } = connection();
  server.opened();
  socket.close('enough');
  server.received('0{"sid":"x"}');
  server.received('2["signal",{}]');
  assert.equal(socket.connected, false);
  assert.deepEqual(heard, []);
  assert.deepEqual(sent, [CONNECT]);
  assert.deepEqual(await socket.ended, { reason: 'enough', was: 'reached', retryAfter: 0 });
});

test('a server that shakes hands twice takes nothing away', () => {
  const { socket, server, sent, heard } = connection();
  server.opened();
  server.received('0{"sid":"x"}');
  server.opened();
  assert.equal(socket.connected, true);
  assert.deepEqual(heard, ['connected']);
  assert.deepEqual(sent, [CONNECT]);
});
