import { CHANNEL_REFILL_BYTES } from '../core/limits.ts';
import type { Channel, ChannelListener } from '../core/ports.ts';

/** Messages kept until the channel is open and listened to. A neighbour says hello and what it holds; more is no neighbour. */
const MAX_EARLY_MESSAGES = 64;

/** An RTCDataChannel as the engine's port. To be wrapped in the task in which the channel came, or messages are lost; what comes before it is listened to is kept. */
export function dataChannel(channel: RTCDataChannel): Channel {
  let listener: ChannelListener | null = null;
  let opened = false;
  const early: (Uint8Array<ArrayBuffer> | null)[] = [];
  const open = (): void => {
    if (opened || !listener) return;
    opened = true;
    listener.opened();
    for (const message of early.splice(0)) listener.received(message);
  };
  channel.binaryType = 'arraybuffer';
  channel.bufferedAmountLowThreshold = CHANNEL_REFILL_BYTES;
  channel.onopen = open;
  channel.onmessage = ({ data }: MessageEvent<unknown>) => {
    const message = data instanceof ArrayBuffer ? new Uint8Array(data) : null;
    // Chromium can deliver messages before `open`, when nothing can be sent yet: they wait for it.
    if (channel.readyState === 'open') open();
    if (opened) listener?.received(message);
    else if (early.length < MAX_EARLY_MESSAGES) early.push(message);
    else channel.close();
  };
  channel.onbufferedamountlow = () => listener?.drained();
  channel.onclose = () => listener?.closed();
  return {
    get bufferedAmount() {
      return channel.bufferedAmount;
    },
    send(message) {
      // Between the end of the connection and its `close` event, send() throws; the event follows.
      if (channel.readyState === 'open') channel.send(message);
    },
    close: () => channel.close(),
    listen(to) {
      listener = to;
      if (channel.readyState === 'open') queueMicrotask(open);
      if (channel.readyState === 'closed') queueMicrotask(() => to.closed());
    },
  };
}
