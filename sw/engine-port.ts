/** The way to one page's engine. Owned by the EnginePorts. */
import type { AssetAnswer, AssetQuestion, PortMessage } from '../protocol/page.ts';
import { ENGINE_SILENCE_MS, HEARD_MS } from './limits.ts';

export type Loaded = Extract<AssetAnswer, { type: 'loaded' }>;

interface Waiting {
  readonly heard: () => void;
  /** Null: the origin is to be asked. */
  readonly settle: (loaded: Loaded | null) => void;
}

export class EnginePort {
  readonly #port: MessagePort;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;

  constructor(port: MessagePort, shareable: (urls: readonly string[]) => void) {
    this.#port = port;
    port.onmessage = ({ data }: MessageEvent<PortMessage>) => {
      if (data.type === 'shareable') {
        shareable(data.urls);
        return;
      }
      const waiting = this.#waiting.get(data.id);
      if (data.type === 'progress') waiting?.heard();
      else waiting?.settle(data.type === 'loaded' ? data : null);
    };
  }

  /** The asset, or null where the network is to be asked: not shareable after all, failed, or no answer in time. */
  ask(url: string, age: number, signal: AbortSignal): Promise<Loaded | null> {
    if (signal.aborted) return Promise.resolve(null);
    const id = ++this.#last;
    return new Promise((resolve) => {
      let timer = setTimeout(() => giveUp(), HEARD_MS);
      const settle = (loaded: Loaded | null): void => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        signal.removeEventListener('abort', giveUp);
        resolve(loaded);
      };
      const giveUp = (): void => {
        this.#post({ type: 'abort', id });
        settle(null);
      };
      const heard = (): void => {
        clearTimeout(timer);
        timer = setTimeout(() => giveUp(), ENGINE_SILENCE_MS);
      };
      this.#waiting.set(id, { heard, settle });
      signal.addEventListener('abort', giveUp);
      this.#post({
        type: 'load',
        id,
        url,
        name: null,
        swarm: null,
        deadline: null,
        age,
        unlisted: 'pass',
        range: null,
      });
    });
  }

  close(): void {
    for (const waiting of [...this.#waiting.values()]) waiting.settle(null);
    this.#port.close();
  }

  #post(question: AssetQuestion): void {
    this.#port.postMessage(question);
  }
}
