import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.ts';
import { forgetProcess, noteProcess } from './leftovers.ts';
import { until } from './until.ts';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** HLS of 24 s with segments of 2 s in three renditions (`lesson/index.m3u8`), `map.png` and `animation.gif`. */
export const FIXTURE_MEDIA = `${ROOT}test/fixtures/media`;

export interface ServeOptions {
  /** Served at `/media/`. Default: the fixture. */
  readonly media?: string;
  /** Default: a free one. */
  readonly port?: number;
  readonly host?: string;
  /** More flags of `p2p-elements serve`. */
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A test that ends a server does not wait for its viewers to go. */
const QUICK = ['--drain-seconds', '0'];

/** A `dist/cli.js serve` in a process of its own, as users run it. */
export class TestServer {
  readonly port: number;
  readonly url: string;
  /** What it has printed, both streams. */
  output = '';
  readonly #options: ServeOptions;
  #process: ChildProcess | undefined;

  constructor(port: number, options: ServeOptions) {
    this.port = port;
    this.url = `http://${options.host ?? '127.0.0.1'}:${port}`;
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Starts it, on the same port as ever, and waits for `/healthz`. */
  async start(): Promise<void> {
    const { media = FIXTURE_MEDIA, host = '127.0.0.1', flags = [], env = {} } = this.#options;
    const args = [
      'dist/cli.js',
      'serve',
      '--host',
      host,
      '--port',
      String(this.port),
      '--media',
      media,
      ...QUICK,
      ...flags,
    ];
    const child = spawn(process.execPath, args, {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = child;
    if (child.pid !== undefined) noteProcess(child.pid, 'dist/cli.js serve');
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    const look = async (): Promise<'up' | 'ended' | false> => {
      if (child.exitCode !== null || child.signalCode !== null) return 'ended';
      return (await fetch(`${this.url}/healthz`)).ok && 'up';
    };
    const state = await until(`${this.url}/healthz`, look, { timeout: 20_000 });
    if (state === 'ended') throw new Error(`The server ended with code ${String(child.exitCode)}:\n${this.output}`);
  }

  /** Ends it and waits until it is gone. @returns its exit code, null when the signal ended it */
  async kill(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const child = this.#process;
    this.#process = undefined;
    if (child?.pid === undefined) return null;
    if (child.exitCode === null && child.signalCode === null) {
      const exit = once(child, 'exit');
      child.kill(signal);
      await exit;
    }
    forgetProcess(child.pid);
    return child.exitCode;
  }

  async restart(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.kill(signal);
    await this.start();
  }
}

/** A running server. End it with `kill()`. */
export async function serve(options: ServeOptions = {}): Promise<TestServer> {
  const server = new TestServer(options.port ?? (await freePort()), options);
  await server.start();
  return server;
}
