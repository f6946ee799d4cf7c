import assert from 'node:assert/strict';
import test from 'node:test';
import { CHANNEL_BUFFER_BYTES, CHANNEL_REFILL_BYTES, MESSAGE_MS } from '../../../mesh/core/limits.ts';
import type { Channel, ChannelListener } from '../../../mesh/core/ports.ts';
import { Wire, type WireListener } from '../../../mesh/engine/wire.ts';
import type { P2PError } from '../../../protocol/error.ts';
import { FrameAssembler } from '../../../protocol/frame.ts';
import { BLOCK_BYTES, FRAME_HEADER_BYTES, MAX_MESSAGE_BYTES, MIN_MESSAGE_BYTES } from '../../../protocol/limits.ts';
import { parsePeerMessage, type PeerMessage } from '../../../protocol/peer-message.ts';

/** A channel whose other end takes what it is told to take. */
class SlowChannel implements Channel {
  bufferedAmount = 0;
  refillBytes = CHANNEL_REFILL_BYTES;
  closed = false;
  readonly sent: Uint8Array<ArrayBuffer>[] = [];
  listener: ChannelListener | null = null;

  send(message: Uint8Array<ArrayBuffer>): void {
    this.sent.push(message.slice());
    this.bufferedAmount += message.length;
  }

  close(): void {
    this.closed = true;
  }

  listen(listener: ChannelListener): void {
    this.listener = listener;
  }

  take(bytes: number): void {
    const before = this.bufferedAmount;
    this.bufferedAmount = Math.max(0, before - bytes);
    if (before > this.refillBytes && this.bufferedAmount <= this.refillBytes) this.listener?.drained();
  }
}

/** Moves only when a test says so. */
class StillClock {
  time = 0;

  now(): number {
    return this.time;
  }
}

interface Heard {
  readonly messages: PeerMessage[];
  readonly progress: number[];
  readonly broken: P2PError[];
  closed: number;
}

interface Connected {
  readonly channel: SlowChannel;
  readonly wire: Wire;
  readonly heard: Heard;
  readonly clock: StillClock;
}

function connected(maxMessageBytes = 4 * MAX_MESSAGE_BYTES): Connected {
  const channel = new SlowChannel();
  const clock = new StillClock();
  const heard: Heard = { messages: [], progress: [], broken: [], closed: 0 };
  const listener: WireListener = {
    opened: () => undefined,
    message: (message) => heard.messages.push(message),
    progress: (request) => heard.progress.push(request),
    broken: (error) => heard.broken.push(error),
    closed: () => heard.closed++,
  };
  const wire = new Wire(channel, listener, clock);
  wire.maxMessageBytes = maxMessageBytes;
  channel.listener?.opened();
  return { channel, wire, heard, clock };
}

const block = (request: number, index = 0, length = BLOCK_BYTES): PeerMessage => ({
  type: 'block',
  request,
  index,
  untrustedBlock: new Uint8Array(length).fill(index),
});

const noPace = (): Promise<void> => Promise.resolve();

/** Lets all that can go on without the channel go on. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function received(channel: SlowChannel): PeerMessage[] {
  const assembler = new FrameAssembler();
  return channel.sent.flatMap((message) => {
    const frame = assembler.accept(message);
    return frame ? [parsePeerMessage(frame)] : [];
  });
}

/** Sends so many blocks one after the other, as an upload does. */
async function upload(wire: Wire, request: number, blocks: number, wanted = (): boolean => true): Promise<number> {
  let sent = 0;
  for (let index = 0; index < blocks; index++)
    sent += await wire.sendContent(block(request, index), noPace, MAX_MESSAGE_BYTES, wanted);
  return sent;
}

test('a control message has never more in front of it than the channel’s buffer and one message for each upload', async () => {
  const { channel, wire } = connected();
  const uploads = [upload(wire, 1, 32), upload(wire, 2, 32), upload(wire, 3, 32)];
  let most = 0;
  for (let done = false; !done;) {
    await settled();
    most = Math.max(most, channel.bufferedAmount);
    done = channel.bufferedAmount === 0;
    channel.take(CHANNEL_BUFFER_BYTES / 4);
  }
  await Promise.all(uploads);
  assert.ok(most >= CHANNEL_BUFFER_BYTES, `${most}: the channel is kept full`);
  assert.ok(most < CHANNEL_BUFFER_BYTES + uploads.length * MAX_MESSAGE_BYTES, String(most));
  assert.equal(received(channel).length, 96);
});

test('a control message goes at once, between the parts of a block', async () => {
  const { channel, wire } = connected();
  const sending = upload(wire, 1, 32);
  await settled();
  const before = channel.sent.length;
  wire.send({ type: 'ping', request: 7 });
  assert.equal(channel.sent.length, before + 1);
  while (channel.bufferedAmount > 0) {
    channel.take(CHANNEL_BUFFER_BYTES);
    await settled();
  }
  await sending;
  const all = received(channel);
  assert.equal(all.filter(({ type }) => type === 'block').length, 32);
  assert.ok(all.findIndex(({ type }) => type === 'ping') < 8);
});

test('no message is longer than the other end takes', async () => {
  for (const [most, expected] of [
    [MIN_MESSAGE_BYTES, MIN_MESSAGE_BYTES],
    [4 * MAX_MESSAGE_BYTES, MAX_MESSAGE_BYTES],
  ] as const) {
    const { channel, wire } = connected(most);
    await upload(wire, 1, 1);
    const longest = Math.max(...channel.sent.map(({ length }) => length));
    assert.ok(longest <= expected && longest > expected / 2, `${longest} of ${expected}`);
  }
});

test('a message is what the channel carries in an eighth of a second: a whole block where it is fast', async () => {
  for (const [bytesPerMillisecond, expected] of [
    [8192, FRAME_HEADER_BYTES + 4 + BLOCK_BYTES],
    [256, 256 * MESSAGE_MS],
    [8, MIN_MESSAGE_BYTES],
  ] as const) {
    const { channel, wire, clock } = connected();
    const sending = upload(wire, 1, 64);
    await settled();
    // Until the channel has drained once its rate is not known, and one message is cut by then.
    const unknown = channel.sent.length + 1;
    while (channel.bufferedAmount > 0) {
      clock.time += channel.bufferedAmount / bytesPerMillisecond;
      channel.take(channel.bufferedAmount);
      await settled();
    }
    const longest = Math.max(...channel.sent.slice(unknown).map(({ length }) => length));
    assert.equal(longest, expected, `at ${bytesPerMillisecond} bytes per ms`);
    await sending;
    assert.equal(received(channel).length, 64);
  }
});

test('the bytes of two blocks that wait for room at the same time do not mix', async () => {
  const { channel, wire } = connected();
  const uploads = [1, 2, 3].map(async (request) => {
    for (let index = 0; index < 8; index++)
      await wire.sendContent(block(request, 8 * request + index), noPace, MAX_MESSAGE_BYTES, () => true);
  });
  do {
    await settled();
    channel.take(CHANNEL_BUFFER_BYTES);
  } while (channel.bufferedAmount > 0);
  await Promise.all(uploads);
  const expected = [1, 2, 3].flatMap((request) => Array.from({ length: 8 }, (_, i) => block(request, 8 * request + i)));
  const byIndex = (message: PeerMessage): number => (message.type === 'block' ? message.index : -1);
  assert.deepEqual(
    received(channel).sort((a, b) => byIndex(a) - byIndex(b)),
    expected,
  );
});

test('a block that nobody wants any more is not begun, and one that was begun is ended', async () => {
  const { channel, wire } = connected();
  let wanted = false;
  assert.equal(await upload(wire, 1, 1, () => wanted), 0);
  assert.equal(channel.sent.length, 0);
  wanted = true;
  const once = (): boolean => {
    const was = wanted;
    wanted = false;
    return was;
  };
  await upload(wire, 1, 2, once);
  assert.deepEqual(
    received(channel).map((message) => message.type === 'block' && message.index),
    [0],
  );
});

test('uploads that wait for room end when the channel closes', async () => {
  const { channel, wire, heard } = connected();
  const sending = Promise.all([upload(wire, 1, 32), upload(wire, 2, 32)]);
  await settled();
  channel.listener?.closed();
  const sent = await sending;
  assert.ok(Math.max(...sent) < 32 * BLOCK_BYTES);
  assert.equal(heard.closed, 1);
  assert.equal(wire.open, false);
});

test('each part of a block counts as progress, and the block comes when its last part is here', async () => {
  const from = connected();
  const to = connected();
  await upload(from.wire, 9, 1);
  for (const part of from.channel.sent) {
    assert.deepEqual(to.heard.messages, []);
    to.channel.listener?.received(part);
  }
  assert.deepEqual(to.heard.progress, [9, 9]);
  assert.deepEqual(to.heard.messages, [block(9)]);
});

test('who asks and does not read is dropped', async () => {
  const { channel, wire, heard } = connected();
  for (let i = 0; !channel.closed && i < 2 * CHANNEL_BUFFER_BYTES; i++) wire.send({ type: 'pong', request: i });
  assert.equal(channel.closed, true);
  assert.equal(heard.closed, 1);
});

test('a text, or bytes that are no frame, break the wire', () => {
  for (const bad of [null, Uint8Array.of(1, 2, 3)]) {
    const { channel, heard } = connected();
    channel.listener?.received(bad);
    assert.deepEqual([heard.broken.length, heard.broken[0]?.code, channel.closed], [1, 'bad-frame', true]);
    channel.listener?.received(bad);
    assert.equal(heard.broken.length, 1);
  }
});
