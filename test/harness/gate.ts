/** A gate in front of a server: of the answers to some paths only the first bytes pass, until it is opened. */
import { Transform, type TransformCallback } from 'node:stream';

interface Shut {
  /** Bytes of each answer that pass all the same. */
  readonly after: number;
  readonly opened: Promise<void>;
  readonly open: () => void;
}

export class Gate {
  readonly #shut = new Map<string, Shut>();

  /** Answers that begin from now on. An answer's head passes with its first byte. */
  shut(path: string, after = 0): void {
    let open: () => void = () => undefined;
    const opened = new Promise<void>((resolve) => (open = resolve));
    this.#shut.set(path, { after, opened, open });
  }

  /** For all paths, and for what is held already. */
  open(): void {
    for (const { open } of this.#shut.values()) open();
    this.#shut.clear();
  }

  /** One answer's way through. @returns undefined: nothing holds it */
  carry(url: string): Transform | undefined {
    const shut = this.#shut.get(new URL(url, 'http://localhost').pathname);
    if (!shut) return undefined;
    let left = shut.after;
    const carrier: Transform = new Transform({
      transform: (chunk: Buffer, _encoding, done: TransformCallback) => {
        const first = chunk.subarray(0, left);
        const rest = chunk.subarray(left);
        left -= first.length;
        if (first.length > 0) carrier.push(first);
        if (rest.length === 0) done();
        else
          void shut.opened.then(() => {
            left = Infinity;
            if (!carrier.destroyed) done(null, rest);
          });
      },
      // A 304 has nothing but a head.
      flush: (done: TransformCallback) => {
        if (shut.after > 0) done();
        else void shut.opened.then(() => done());
      },
    });
    return carrier;
  }
}
