/** The way to one page's engine. Owned by the EnginePorts. */
import type { AssetName } from '../protocol/ids.ts';
import type {
  AssetAnswer,
  AssetQuestion,
  BroughtAnswer,
  ByteRange,
  PortMessage,
  ShareableFile,
  UnverifiedUse,
} from '../protocol/page.ts';
import { ENGINE_SILENCE_MS, HEARD_MS, LIST_WAIT_MS } from './limits.ts';

/** Bytes `[from, to)` of one asset; `range`: where in its file the asset is, null: it is all of it. */
export interface Piece {
  readonly url: string;
  readonly name: AssetName;
  readonly range: ByteRange | null;
  readonly from: number;
  readonly to: number;
}

export interface PieceListener {
  /** @param checked are these and all before them the asset's? */
  readonly chunk: (bytes: Uint8Array<ArrayBuffer>, checked: boolean) => void;
  /** No more comes, though not all was given: not shareable after all, failed, or no answer in time. */
  readonly broken: () => void;
}

/** A piece that is being read. */
export interface PieceReading {
  /** So many bytes more may come. */
  readonly pull: (bytes: number) => void;
  readonly abort: () => void;
}

/** What is asked for without a digest. */
export interface Unlisted {
  readonly url: string;
  readonly use: UnverifiedUse;
}

type Ended = Extract<AssetAnswer, { type: 'loaded' | 'pass' | 'failed' }>;

interface Waiting {
  readonly heard: () => void;
  readonly chunk: (bytes: ArrayBuffer, checked: boolean) => void;
  /** Null: no answer in time. */
  readonly ended: (answer: Ended | null) => void;
}

export class EnginePort {
  /** Does the page let be shared what is not listed? */
  readonly sharesUnverified: boolean;
  readonly #port: MessagePort;
  readonly #waiting = new Map<number, Waiting>();
  #files: ReadonlyMap<string, ShareableFile> = new Map();
  /** Resolves when they are told, late, or never to be told. */
  readonly #told: Promise<void>;
  #giveUp: () => void = () => undefined;
  #isClosed = false;
  #last = 0;

  constructor(port: MessagePort, shareable: (files: readonly ShareableFile[]) => void, sharesUnverified = false) {
    this.sharesUnverified = sharesUnverified;
    this.#port = port;
    this.#told = new Promise((resolve) => {
      this.#giveUp = resolve;
      setTimeout(resolve, LIST_WAIT_MS);
      port.onmessage = ({ data }: MessageEvent<PortMessage>) => {
        if (data.type === 'shareable') {
          this.#files = new Map(data.files.map((file) => [file.url, file]));
          resolve();
          shareable(data.files);
          return;
        }
        const waiting = this.#waiting.get(data.id);
        if (data.type === 'progress') waiting?.heard();
        else if (data.type === 'chunk') waiting?.chunk(data.bytes, data.checked);
        else waiting?.ended(data);
      };
    });
  }

  /** Has the page given a newer one, or is it gone? */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** What the page's manifest says of a URL without fragment, as soon as it is known; waited for only so long. */
  async file(url: string): Promise<ShareableFile | undefined> {
    await this.#told;
    return this.#files.get(url);
  }

  /** @param pull bytes that may come before the first `pull` @param age ms that the request has waited */
  read(piece: Piece, pull: number, age: number, { chunk, broken }: PieceListener): PieceReading {
    const id = ++this.#last;
    let owed = pull;
    let left = piece.to - piece.from;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const end = (): void => {
      clearTimeout(timer);
      this.#waiting.delete(id);
    };
    const abort = (): void => {
      end();
      this.#post({ type: 'abort', id });
    };
    const wait = (within: number): void => {
      clearTimeout(timer);
      if (owed > 0)
        timer = setTimeout(() => {
          abort();
          broken();
        }, within);
    };
    this.#waiting.set(id, {
      heard: () => wait(ENGINE_SILENCE_MS),
      chunk: (bytes, checked) => {
        owed -= bytes.byteLength;
        left -= bytes.byteLength;
        wait(ENGINE_SILENCE_MS);
        if (left <= 0) end();
        chunk(new Uint8Array(bytes), checked);
      },
      ended: () => {
        end();
        broken();
      },
    });
    wait(HEARD_MS);
    this.#post({ type: 'read', id, ...piece, age, pull });
    return {
      pull: (bytes) => {
        if (!this.#waiting.has(id)) return;
        owed += bytes;
        wait(ENGINE_SILENCE_MS);
        this.#post({ type: 'pull', id, bytes });
      },
      abort,
    };
  }

  /** @returns null: no answer in time, or none is wanted any more @param age ms that the request has waited */
  load({ url, use }: Unlisted, age: number, signal: AbortSignal): Promise<Ended | null> {
    const id = ++this.#last;
    return new Promise((resolve) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const end = (answer: Ended | null): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        if (this.#waiting.delete(id)) resolve(answer);
      };
      const abort = (): void => {
        this.#post({ type: 'abort', id });
        end(null);
      };
      const wait = (within: number): void => {
        clearTimeout(timer);
        timer = setTimeout(abort, within);
      };
      this.#waiting.set(id, { heard: () => wait(ENGINE_SILENCE_MS), chunk: () => undefined, ended: end });
      signal.addEventListener('abort', abort);
      wait(HEARD_MS);
      const question = { url, use, name: null, swarm: null, deadline: null, range: null } as const;
      this.#post({ type: 'load', id, age, unlisted: 'pass', ...question });
      if (signal.aborted) abort();
    });
  }

  /** It was our turn to bring this. `private`: it is not for others; null: it did not come. */
  brought(url: string, answer: BroughtAnswer | 'private' | null): void {
    const transfer = typeof answer === 'string' || !answer ? [] : [answer.body];
    this.#port.postMessage({ type: 'brought', url, answer } satisfies AssetQuestion, transfer);
  }

  /** So many bytes of a file were given from the store. */
  served({ parts }: ShareableFile, bytes: number): void {
    this.#post({ type: 'served', digests: parts, bytes });
  }

  close(): void {
    this.#isClosed = true;
    this.#giveUp();
    for (const waiting of [...this.#waiting.values()]) waiting.ended(null);
    this.#port.close();
  }

  #post(question: AssetQuestion): void {
    this.#port.postMessage(question);
  }
}
