import assert from 'node:assert/strict';
import test from 'node:test';
import './web-socket.ts';
import { SERVER_SILENCE_MAX_MS, SERVER_SILENCE_MS } from '../../../../mesh/core/limits.ts';
import { overWebSocket } from '../../../../mesh/io/signaling/engine-io.ts';

for (const [handshake, patience] of [
  ['{"pingInterval":25000,"pingTimeout":20000}', 45_000],
  ['{"pingInterval":1e999,"pingTimeout":20000}', SERVER_SILENCE_MAX_MS],
  ['{"pingInterval":5000000000,"pingTimeout":1}', SERVER_SILENCE_MAX_MS],
  ['{"pingInterval":"often"}', SERVER_SILENCE_MS],
  ['null', SERVER_SILENCE_MS],
  ['no JSON', SERVER_SILENCE_MS],
] as const)
  test(`a server whose handshake is ${handshake} may be silent for ${patience} ms`, (t) => {
    const real = globalThis.WebSocket;
    t.after(() => Object.assign(globalThis, { WebSocket: real }));
    const socket = { onmessage: (_: { data: string }) => undefined, close: () => undefined };
    Object.assign(globalThis, {
      WebSocket: function () {
        return socket;
      },
    });
    const timers: number[] = [];
    const clock = { now: () => 0, after: (milliseconds: number) => (timers.push(milliseconds), () => undefined) };
    let opened = 0;
    overWebSocket(
      'http://server.test',
      { opened: () => opened++, received: () => undefined, closed: () => undefined },
      clock,
    );
    socket.onmessage({ data: `0${handshake}` });
    assert.deepEqual([opened, timers], [1, [patience]]);
  });
