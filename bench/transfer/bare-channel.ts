/** The yardstick: a bare data channel between two pages, with the sender as fast as we know how, and a receiver that only counts. */
import type { Page } from 'playwright-core';

/**
 * Bytes of one message (the most that every browser takes, RFC 8841; 16 KiB were slower), bytes handed to the channel before the sender
 * waits, and bytes left when it goes on. With a quarter and with four times as many in the channel it was no faster.
 */
const SENDER = { message: 64 * 1024, most: 1024 * 1024, low: 256 * 1024 } as const;

/** What stands in each page as `window.bare`. */
interface BareEnd {
  readonly pc: RTCPeerConnection;
  /** Set once the other end is described. */
  channel: RTCDataChannel | null;
  describe(): Promise<string>;
  offer(): Promise<string>;
  answer(sdp: string): Promise<string>;
  accept(sdp: string): Promise<void>;
  opened(): Promise<void>;
  /** Sends as many bytes as the other end asks for. */
  serve(): void;
  /** Asks for bytes and counts them. @returns milliseconds from the question to the last byte */
  receive(bytes: number): Promise<number>;
}

type BareWindow = Window & { bare: BareEnd };

/** Connects two pages. Lasts as long as they do. */
export async function connectBare(sender: Page, receiver: Page): Promise<void> {
  for (const page of [sender, receiver]) await page.evaluate(installBareEnd, SENDER);
  const offer = await sender.evaluate(() => (window as unknown as BareWindow).bare.offer());
  const answer = await receiver.evaluate((sdp) => (window as unknown as BareWindow).bare.answer(sdp), offer);
  await sender.evaluate((sdp) => (window as unknown as BareWindow).bare.accept(sdp), answer);
  for (const page of [sender, receiver]) await page.evaluate(() => (window as unknown as BareWindow).bare.opened());
  await sender.evaluate(() => (window as unknown as BareWindow).bare.serve());
}

/** @returns milliseconds */
export const bareTransfer = (receiver: Page, bytes: number): Promise<number> =>
  receiver.evaluate((bytes) => (window as unknown as BareWindow).bare.receive(bytes), bytes);

/** Runs in the page, so no function in it may have a name of its own (esbuild's helper is not there). */
function installBareEnd(sender: { message: number; most: number; low: number }): void {
  const { bare: former } = window as unknown as Partial<BareWindow>;
  former?.pc.close();
  const bare: BareEnd = {
    pc: new RTCPeerConnection(),
    channel: null,
    async describe() {
      await this.pc.setLocalDescription();
      if (this.pc.iceGatheringState !== 'complete')
        await new Promise<void>((resolve) => {
          this.pc.onicegatheringstatechange = () => {
            if (this.pc.iceGatheringState === 'complete') resolve();
          };
        });
      return this.pc.localDescription!.sdp;
    },
    offer() {
      this.channel = this.pc.createDataChannel('bare');
      return this.describe();
    },
    async answer(sdp) {
      this.pc.ondatachannel = ({ channel }) => (this.channel = channel);
      await this.pc.setRemoteDescription({ type: 'offer', sdp });
      return this.describe();
    },
    accept(sdp) {
      return this.pc.setRemoteDescription({ type: 'answer', sdp });
    },
    async opened() {
      while (this.channel?.readyState !== 'open') await new Promise((again) => setTimeout(again, 20));
      this.channel.binaryType = 'arraybuffer';
    },
    serve() {
      const channel = this.channel!;
      channel.bufferedAmountLowThreshold = sender.low;
      channel.onmessage = async ({ data }: MessageEvent<string>) => {
        const message = crypto.getRandomValues(new Uint8Array(sender.message));
        for (let left = Number(data); left > 0; left -= message.length) {
          if (channel.bufferedAmount >= sender.most)
            await new Promise((drained) => (channel.onbufferedamountlow = drained));
          channel.send(left < message.length ? message.subarray(0, left) : message);
        }
      };
    },
    receive(bytes) {
      const channel = this.channel!;
      return new Promise((resolve) => {
        const start = performance.now();
        let left = bytes;
        channel.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => {
          left -= data.byteLength;
          if (left === 0) resolve(performance.now() - start);
        };
        channel.send(String(bytes));
      });
    },
  };
  Object.assign(window, { bare });
}
