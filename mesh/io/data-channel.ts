import { CHANNEL_REFILL_BYTES } from '../core/limits.ts';
import type { Channel } from '../core/ports.ts';

/** Messages kept until the channel opens. A neighbour says hello and what it holds; more is no neighbour. */
const MAX_EARLY_MESSAGES = 64;

/** An RTCDataChannel as the engine's port. To be wrapped and listened to in the task in which the channel came, or messages are lost. */
export function dataChannel(channel: RTCDataChannel): Channel {
  channel.binaryType = 'arraybuffer';
  channel.bufferedAmountLowThreshold = CHANNEL_REFILL_BYTES;
  return {
    get bufferedAmount() {
      return channel.bufferedAmount;
    },
    send(message) {
      // Between the end of the connection and its `close` event, send() throws; the event follows.
      if (channel.readyState === 'open') channel.send(message);
    },
    close: () => channel.close(),
    listen(listener) {
      let opened = false;
      const early: (Uint8Array<ArrayBuffer> | null)[] = [];
      const open = (): void => {
        if (opened) return;
        opened = true;
        listener.opened();
        for (const message of early.splice(0)) listener.received(message);
      };
      channel.onopen = open;
      channel.onmessage = ({ data }: MessageEvent<unknown>) => {
        const message = data instanceof ArrayBuffer ? new Uint8Array(data) : null;
        // Chromium can deliver messages before `open`, when nothing can be sent yet: they wait for it.
        if (channel.readyState === 'open') open();
        if (opened) listener.received(message);
        else if (early.length < MAX_EARLY_MESSAGES) early.push(message);
        else channel.close();
      };
      channel.onbufferedamountlow = () => listener.drained();
      channel.onclose = () => listener.closed();
      if (channel.readyState === 'open') queueMicrotask(open);
    },
  };
}
