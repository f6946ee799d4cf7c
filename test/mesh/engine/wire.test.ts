import assert from 'node:assert/strict';
import test from 'node:test';
import {
  CHANNEL_REFILL_BYTES,
  CONFIRM_BYTES,
  CONTENT_MESSAGE_BYTES,
  MAX_UNREAD_BYTES,
  OUTSIDE_WINDOW_BYTES,
  SITE_WINDOW_BYTES,
} from '../../../mesh/core/limits.ts';
import type { Channel, ChannelListener } from '../../../mesh/core/ports.ts';
import { Wire, type WireListener } from '../../../mesh/engine/wire.ts';
import type { P2PError } from '../../../protocol/error.ts';
import { FrameAssembler } from '../../../protocol/frame.ts';
import { BLOCK_BYTES, MAX_MESSAGE_BYTES, MIN_MESSAGE_BYTES } from '../../../protocol/limits.ts';
import { carriesContent, parsePeerMessage, type PeerMessage } from '../../../protocol/peer-message.ts';
import { encodePeerMessage, fragmentsOf } from '../../protocol/fragments.ts';

/** A channel that carries what it is told to carry, and whose other end confirms it when it is told to. */
class SlowChannel implements Channel {
  bufferedAmount = 0;
  /** Content that was not confirmed, bytes. */
  onTheWay = 0;
  closed = false;
  readonly sent: Uint8Array<ArrayBuffer>[] = [];
  listener: ChannelListener | null = null;

  send(message: Uint8Array<ArrayBuffer>): void {
    this.sent.push(message.slice());
    this.bufferedAmount += message.length;
    if (carriesContent(message[0] ?? 0)) this.onTheWay += message.length;
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
    if (before > CHANNEL_REFILL_BYTES && this.bufferedAmount <= CHANNEL_REFILL_BYTES) this.listener?.drained();
  }

  confirm(bytes = this.onTheWay): void {
    const confirmed = Math.min(bytes, this.onTheWay);
    this.onTheWay -= confirmed;
    this.says({ type: 'credit', bytes: confirmed });
  }

  /** The other end says something. */
  says(message: PeerMessage): void {
    for (const part of fragmentsOf(encodePeerMessage(message), MIN_MESSAGE_BYTES)) this.listener?.received(part);
  }

  /** All that is on its way comes, and is confirmed. */
  deliver(): void {
    this.take(this.bufferedAmount);
    this.confirm();
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
}

function connected(maxMessageBytes = 4 * MAX_MESSAGE_BYTES): Connected {
  const channel = new SlowChannel();
  const heard: Heard = { messages: [], progress: [], broken: [], closed: 0 };
  const listener: WireListener = {
    opened: () => undefined,
    message: (message) => heard.messages.push(message),
    progress: (request) => heard.progress.push(request),
    broken: (error) => heard.broken.push(error),
    closed: () => heard.closed++,
  };
  const wire = new Wire(channel, listener);
  wire.maxMessageBytes = maxMessageBytes;
  channel.listener?.opened();
  return { channel, wire, heard };
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

/** Each time that what can go has gone, `step` lets some of it come. */
async function untilAllCame(channel: SlowChannel, step: () => void): Promise<void> {
  await settled();
  while (channel.onTheWay > 0) {
    step();
    await settled();
  }
}

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

test('no more is on its way than the other end may be late to confirm, however many uploads there are', async () => {
  for (const windowBytes of [SITE_WINDOW_BYTES, OUTSIDE_WINDOW_BYTES]) {
    const { channel, wire } = connected();
    wire.windowBytes = windowBytes;
    const uploads = [upload(wire, 1, 32), upload(wire, 2, 32), upload(wire, 3, 32)];
    for (let done = false; !done;) {
      await settled();
      assert.ok(channel.onTheWay <= windowBytes, String(channel.onTheWay));
      done = channel.onTheWay === 0;
      // It is kept full: no further part has room.
      assert.ok(done || channel.onTheWay > windowBytes - MAX_MESSAGE_BYTES || received(channel).length > 90);
      channel.take(Infinity);
      channel.confirm(CONFIRM_BYTES);
    }
    await Promise.all(uploads);
    assert.equal(received(channel).length, 96);
  }
});

test('what left the channel and was not confirmed fills the window', async () => {
  const { channel, wire } = connected();
  const sending = upload(wire, 1, 8);
  await settled();
  const before = channel.sent.length;
  channel.take(Infinity);
  await settled();
  assert.equal(channel.sent.length, before);
  channel.confirm(1);
  await settled();
  assert.equal(channel.sent.length, before, 'a byte makes no room for a part');
  await untilAllCame(channel, () => channel.confirm());
  await sending;
});

test('credit for more than was sent does not widen the window', async () => {
  const { channel, wire } = connected();
  channel.says({ type: 'credit', bytes: 1e9 });
  const sending = upload(wire, 1, 8);
  await settled();
  assert.ok(channel.onTheWay <= SITE_WINDOW_BYTES);
  await untilAllCame(channel, () => channel.confirm());
  await sending;
});

test('content that came is confirmed, to the byte, now and then; short messages are not', async () => {
  const from = connected();
  const to = connected();
  const sending = upload(from.wire, 1, 8);
  await settled();
  let credits = 0;
  let came = 0;
  for (let at = 0; at < from.channel.sent.length; at++) {
    const part = from.channel.sent[at]!;
    to.channel.listener?.received(part);
    to.channel.says({ type: 'ping', request: 1 });
    came += part.length;
    for (const message of received(to.channel).slice(credits)) {
      assert.deepEqual(message, { type: 'credit', bytes: came });
      from.channel.confirm(came);
      credits++;
      came = 0;
    }
    assert.ok(came < CONFIRM_BYTES, String(came));
    await settled();
  }
  await sending;
  assert.equal(from.channel.onTheWay, came);
  assert.equal(to.heard.messages.filter(({ type }) => type === 'block').length, 8);
});

test('a control message goes at once, between the parts of a block', async () => {
  const { channel, wire } = connected();
  const sending = upload(wire, 1, 32);
  await settled();
  const before = channel.sent.length;
  wire.send({ type: 'ping', request: 7 });
  assert.equal(channel.sent.length, before + 1);
  await untilAllCame(channel, () => channel.deliver());
  await sending;
  const all = received(channel);
  assert.equal(all.filter(({ type }) => type === 'block').length, 32);
  assert.ok(all.findIndex(({ type }) => type === 'ping') < 8);
});

test('no message is longer than the other end takes', async () => {
  for (const [most, expected] of [
    [MIN_MESSAGE_BYTES, MIN_MESSAGE_BYTES],
    [4 * MAX_MESSAGE_BYTES, CONTENT_MESSAGE_BYTES],
  ] as const) {
    const { channel, wire } = connected(most);
    await upload(wire, 1, 1);
    const longest = Math.max(...channel.sent.map(({ length }) => length));
    assert.ok(longest <= expected && longest > expected / 2, `${longest} of ${expected}`);
  }
});

test('the bytes of two blocks that wait for room at the same time do not mix', async () => {
  const { channel, wire } = connected();
  const uploads = [1, 2, 3].map(async (request) => {
    for (let index = 0; index < 8; index++)
      await wire.sendContent(block(request, 8 * request + index), noPace, MAX_MESSAGE_BYTES, () => true);
  });
  await untilAllCame(channel, () => channel.deliver());
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
  for (let i = 0; !channel.closed && i < MAX_UNREAD_BYTES; i++) wire.send({ type: 'pong', request: i });
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
