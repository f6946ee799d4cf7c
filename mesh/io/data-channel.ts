import { CHANNEL_REFILL_BYTES } from '../core/limits.ts';
import type { Channel } from '../core/ports.ts';

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
      channel.onopen = () => listener.opened();
      channel.onmessage = ({ data }: MessageEvent<unknown>) => listener.received(data instanceof ArrayBuffer ? new Uint8Array(data) : null);
      channel.onbufferedamountlow = () => listener.drained();
      channel.onclose = () => listener.closed();
      if (channel.readyState === 'open') queueMicrotask(() => listener.opened());
    },
  };
}
