import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { freePort } from './free-port.ts';
import { forgetProcess, noteProcess } from './leftovers.ts';
import { until } from './until.ts';
import type { Owner } from './owner.ts';

/** Why there is no Redis to test with; undefined: there is one. */
export const noRedis: string | undefined =
  spawnSync('redis-server', ['--version']).status === 0
    ? undefined
    : 'redis-server is not installed (on Debian: apt install redis-server)';

/** A real Redis that keeps nothing on disk. */
export class TestRedis {
  readonly port: number;
  readonly url: string;
  #process: ChildProcess | undefined;

  constructor(port: number) {
    this.port = port;
    this.url = `redis://127.0.0.1:${port}`;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Starts it, on the same port as ever and with nothing in it, and waits until it answers. */
  async start(): Promise<void> {
    const child = spawn(
      'redis-server',
      ['--port', String(this.port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', tmpdir()],
      { stdio: 'ignore' },
    );
    this.#process = child;
    if (child.pid !== undefined) noteProcess(child.pid, 'redis-server');
    await until(`Redis on port ${this.port}`, () => answers(this.port));
  }

  async stop(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child?.pid === undefined) return;
    if (child.exitCode === null && child.signalCode === null) {
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
    }
    forgetProcess(child.pid);
  }

  /** It stands still: connections stay open, nothing is answered. */
  freeze(): void {
    this.#process?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process?.kill('SIGCONT');
  }
}

/** One that has started; it ends with its owner. */
export async function startRedis(t: Owner): Promise<TestRedis> {
  const redis = new TestRedis(await freePort());
  t.after(() => redis.stop());
  await redis.start();
  return redis;
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1', () => socket.write('PING\r\n'));
    socket.once('data', (data) => {
      resolve(data.toString().startsWith('+PONG'));
      socket.destroy();
    });
    socket.once('error', () => resolve(false));
  });
