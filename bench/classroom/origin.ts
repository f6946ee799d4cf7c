/** The origin's process in its namespace, with its access log. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { ROOT } from '../../test/harness/serve.ts';
import { until } from '../../test/harness/until.ts';
import { ORIGIN } from './namespaces.ts';
import { readServed, type Served } from './served.ts';

export const ORIGIN_PORT = 8080;

export class Origin {
  readonly #served: Served[] = [];
  readonly #process: ChildProcess;
  /** The last lines that are not of the access log. */
  #said: string[] = [];
  #isListening = false;

  private constructor(args: readonly string[], isVerbose: boolean) {
    this.#process = spawn('ip', ['netns', 'exec', ORIGIN, process.execPath, ...args], {
      cwd: ROOT,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    if (this.#process.stderr === null) throw new Error('The origin has no stderr.');
    createInterface({ input: this.#process.stderr }).on('line', (line) => this.#read(line, isVerbose));
  }

  /** Starts Node with these arguments, and waits until it logs that it listens. */
  static async start(args: readonly string[], isVerbose: boolean): Promise<Origin> {
    const origin = new Origin(args, isVerbose);
    await until('the origin listens', () => origin.#isListening || origin.#hasEnded, { timeout: 30_000 });
    if (origin.#hasEnded) throw new Error(`The origin did not start:\n${origin.#said.join('\n')}`);
    return origin;
  }

  /** Ends it, which ends the responses under way. @returns all that it sent */
  async stop(): Promise<readonly Served[]> {
    if (!this.#hasEnded) {
      const closed = once(this.#process, 'close'); // its stderr is read to the end then
      this.#process.kill('SIGTERM');
      await closed;
    }
    return this.#served;
  }

  get #hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  #read(line: string, isVerbose: boolean): void {
    const served = readServed(line);
    if (served !== undefined) {
      this.#served.push(served);
      return;
    }
    this.#isListening ||= line.includes('"msg":"listening"');
    this.#said = [...this.#said.slice(-20), line];
    if (isVerbose) console.error(`origin: ${line}`);
  }
}
