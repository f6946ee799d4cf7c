/** The body of an answer: bytes of a file, read from a page's engine as fast as they are taken. */
import { MAX_PART_BYTES } from '../protocol/limits.ts';
import type { ByteRange, ShareableFile } from '../protocol/page.ts';
import type { EnginePort, Piece, PieceReading } from './engine-port.ts';
import { READ_AHEAD_BYTES } from './limits.ts';

/** The next piece of a file from a byte on; one that is listed in parts is read part by part. */
export function pieceAt({ url, size, parts }: ShareableFile, { start, end }: ByteRange): Piece {
  const index = parts.length === 1 ? 0 : Math.floor(start / MAX_PART_BYTES);
  const first = index * MAX_PART_BYTES;
  const past = parts.length === 1 ? size : Math.min(size, first + MAX_PART_BYTES);
  const digest = parts[index];
  if (digest === undefined) throw new RangeError(`${url} has no byte ${start}`);
  return {
    url,
    name: { digest, size: past - first },
    range: parts.length === 1 ? null : { start: first, end: past },
    from: start - first,
    to: Math.min(end, past) - first,
  };
}

export class AssetBody {
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly #file: ShareableFile;
  readonly #findPort: () => Promise<EnginePort | null>;
  readonly #end: number;
  #position: number;
  /** Where the reading began that is under way. */
  #begun = -1;
  /** Asked of the engine and not here yet. */
  #owed = 0;
  #ended = false;
  /** Is all that was given the asset's? What is not may be of another version than what any other reading gives. */
  #isChecked = true;
  /** `opening`: the engine is looked for. */
  #reading: PieceReading | 'opening' | null = null;
  #settle: (came: boolean) => void = () => undefined;
  #controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | null = null;

  /** @param findPort the page's engine, which may be another one later; null: it has none */
  constructor(file: ShareableFile, { start, end }: ByteRange, findPort: () => Promise<EnginePort | null>) {
    this.#file = file;
    this.#position = start;
    this.#end = end;
    this.#findPort = findPort;
    this.stream = new ReadableStream<Uint8Array<ArrayBuffer>>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#pull(),
        cancel: () => this.#abort(),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: READ_AHEAD_BYTES }),
    );
  }

  /** True as soon as the first bytes are here; false: the engine gives none, and the network is to be asked. */
  begin(age: number, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      this.#settle = resolve;
      const abort = (): void => {
        this.#abort();
        resolve(false);
      };
      if (signal.aborted) abort();
      else signal.addEventListener('abort', abort);
      void this.#read(age);
    });
  }

  /** Reads the piece that comes next. */
  async #read(age: number): Promise<void> {
    this.#reading = 'opening';
    const port = await this.#findPort();
    if (this.#ended) return;
    // A reading that gave nothing is not begun anew.
    if (!port || this.#position === this.#begun) {
      this.#fail();
      return;
    }
    this.#begun = this.#position;
    this.#owed = Math.max(1, this.#controller?.desiredSize ?? 0);
    const piece = pieceAt(this.#file, { start: this.#position, end: this.#end });
    let left = piece.to - piece.from;
    this.#reading = port.read(piece, this.#owed, age, {
      chunk: (bytes, checked) => {
        left -= bytes.length;
        this.#isChecked = checked;
        this.#take(bytes);
        if (left <= 0) this.#next();
      },
      broken: () => {
        this.#reading = null;
        this.#goOn();
      },
    });
  }

  #goOn(): void {
    if (this.#isChecked) void this.#read(0);
    else this.#fail();
  }

  #take(bytes: Uint8Array<ArrayBuffer>): void {
    this.#position += bytes.length;
    this.#owed -= bytes.length;
    this.#settle(true);
    this.#controller?.enqueue(bytes);
  }

  #next(): void {
    this.#reading = null;
    this.#owed = 0; // What was asked for beyond the piece's end comes with the next.
    if (this.#position < this.#end) {
      if (this.#isChecked) this.#pull();
      else this.#fail();
      return;
    }
    this.#ended = true;
    this.#controller?.close();
  }

  #pull(): void {
    const wanted = (this.#controller?.desiredSize ?? 0) - this.#owed;
    if (wanted <= 0 || this.#ended || this.#begun < 0 || this.#reading === 'opening') return;
    if (!this.#reading) {
      void this.#read(0);
      return;
    }
    this.#owed += wanted;
    this.#reading.pull(wanted);
  }

  #abort(): void {
    this.#ended = true;
    if (this.#reading && this.#reading !== 'opening') this.#reading.abort();
  }

  #fail(): void {
    this.#ended = true;
    this.#settle(false);
    this.#controller?.error(new TypeError(`${this.#file.url} broke off at byte ${this.#position}`));
  }
}
