import assert from 'node:assert/strict';
import test from 'node:test';
import { CHANNEL_REFILL_BYTES } from '../../../mesh/core/limits.ts';
import { dataChannel } from '../../../mesh/io/data-channel.ts';

/** As much of an RTCDataChannel as the engine sees. */
class FakeDataChannel {
  binaryType = 'blob';
  bufferedAmountLowThreshold = 0;
  bufferedAmount = 0;
  readyState = 'connecting';
  readonly sent: unknown[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onbufferedamountlow: (() => void) | null = null;
  onclose: (() => void) | null = null;

  send(message: unknown): void {
    if (this.readyState !== 'open') throw new DOMException('not open', 'InvalidStateError');
    this.sent.push(message);
  }

  close(): void {
    this.readyState = 'closing';
  }
}

function wrapped(fake = new FakeDataChannel()): {
  fake: FakeDataChannel;
  channel: ReturnType<typeof dataChannel>;
  heard: unknown[];
} {
  const heard: unknown[] = [];
  const channel = dataChannel(fake as unknown as RTCDataChannel);
  channel.listen({
    opened: () => heard.push('opened'),
    received: (message) => heard.push(message),
    drained: () => heard.push('drained'),
    closed: () => heard.push('closed'),
  });
  return { fake, channel, heard };
}

test('binary messages come as bytes, and tell when there is room again', () => {
  const { fake } = wrapped();
  assert.deepEqual([fake.binaryType, fake.bufferedAmountLowThreshold], ['arraybuffer', CHANNEL_REFILL_BYTES]);
});

test('handlers are set in the task in which the channel is listened to', () => {
  const { fake } = wrapped();
  for (const handler of [fake.onopen, fake.onmessage, fake.onbufferedamountlow, fake.onclose])
    assert.equal(typeof handler, 'function');
});

test('events of the channel reach the listener, in order', () => {
  const { fake, heard } = wrapped();
  fake.readyState = 'open';
  fake.onopen?.();
  fake.onmessage?.({ data: Uint8Array.of(1, 2).buffer });
  fake.onbufferedamountlow?.();
  fake.onclose?.();
  assert.deepEqual(heard, ['opened', Uint8Array.of(1, 2), 'drained', 'closed']);
});

test('a text, or anything that is not bytes, comes as null', () => {
  const { fake, heard } = wrapped();
  fake.readyState = 'open';
  fake.onopen?.();
  heard.length = 0;
  for (const data of ['hello', undefined, {}, Uint8Array.of(1)]) fake.onmessage?.({ data });
  assert.deepEqual(heard, [null, null, null, null]);
});

test('a channel that is open already says so after the listener is there', async () => {
  const fake = new FakeDataChannel();
  fake.readyState = 'open';
  const { heard } = wrapped(fake);
  assert.deepEqual(heard, []);
  await Promise.resolve();
  assert.deepEqual(heard, ['opened']);
});

test('what is sent between the end of a connection and its close event is dropped without an error', () => {
  const { fake, channel } = wrapped();
  fake.readyState = 'open';
  channel.send(Uint8Array.of(1));
  channel.close();
  channel.send(Uint8Array.of(2));
  assert.deepEqual(fake.sent, [Uint8Array.of(1)]);
});

test('the buffered amount is the channel’s own', () => {
  const { fake, channel } = wrapped();
  fake.bufferedAmount = 77;
  assert.equal(channel.bufferedAmount, 77);
});

test('messages that come before the channel is open wait for it', () => {
  const { fake, heard } = wrapped();
  for (const byte of [1, 2]) fake.onmessage?.({ data: Uint8Array.of(byte).buffer });
  assert.deepEqual(heard, []);
  fake.readyState = 'open';
  fake.onopen?.();
  fake.onopen?.();
  assert.deepEqual(heard, ['opened', Uint8Array.of(1), Uint8Array.of(2)]);
});

test('a message of a channel that is open before it said so opens it', () => {
  const { fake, heard } = wrapped();
  fake.readyState = 'open';
  fake.onmessage?.({ data: Uint8Array.of(1).buffer });
  fake.onopen?.();
  assert.deepEqual(heard, ['opened', Uint8Array.of(1)]);
});

test('a peer that floods a channel before it opens loses it', () => {
  const { fake } = wrapped();
  for (let i = 0; i < 64; i++) fake.onmessage?.({ data: new ArrayBuffer(1) });
  assert.equal(fake.readyState, 'connecting');
  fake.onmessage?.({ data: new ArrayBuffer(1) });
  assert.equal(fake.readyState, 'closing');
});
