/** What a page takes of its machine's memory: all of its renderer process, and the script heaps of page and workers. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import type { CDPSession } from 'playwright-core';
import { processes } from '../../../scripts/lib/processes.mjs';
import type { Person } from './person.ts';

/** Bytes, with no garbage in the script heaps. */
export interface Memory {
  /** Of the renderer, without what it shares with other processes (Linux): scripts, buffers, the player's buffer, the decoder, the connections. */
  readonly renderer: number;
  /** Scripts and the memory of their ArrayBuffers. */
  readonly scripts: number;
}

interface HeapUsage {
  readonly usedSize: number;
  readonly backingStorageSize?: number;
}

/** CDP messages to workers travel in those of their page: playwright opens no session of a worker. */
interface WorkerProtocol {
  on(
    event: string,
    listener: (message: { sessionId: string; message: string; targetInfo: { type: string } }) => void,
  ): void;
  send(method: string, parameters: object): Promise<unknown>;
}

export class MemoryGauge {
  readonly #person: Person;
  readonly #session: CDPSession;
  readonly #workers = new Set<string>();
  readonly #waiting = new Map<number, (result: HeapUsage) => void>();
  #last = 0;

  private constructor(person: Person, session: CDPSession) {
    this.#person = person;
    this.#session = session;
  }

  static async of(person: Person): Promise<MemoryGauge> {
    const gauge = new MemoryGauge(person, await person.chromium.context.newCDPSession(person.page));
    await gauge.#findWorkers();
    return gauge;
  }

  async read(): Promise<Memory> {
    await this.#session.send('HeapProfiler.collectGarbage');
    const heaps: HeapUsage[] = [await this.#session.send('Runtime.getHeapUsage')];
    for (const worker of this.#workers) {
      await this.#ask(worker, 'HeapProfiler.collectGarbage');
      heaps.push(await this.#ask(worker, 'Runtime.getHeapUsage'));
    }
    const scripts = heaps.map(({ usedSize, backingStorageSize = 0 }) => usedSize + backingStorageSize);
    return { renderer: this.#rendererBytes(), scripts: sum(scripts) };
  }

  async #findWorkers(): Promise<void> {
    const workers = this.#protocol;
    workers.on('Target.attachedToTarget', ({ sessionId, targetInfo }) => {
      if (targetInfo.type === 'worker') this.#workers.add(sessionId);
    });
    workers.on('Target.detachedFromTarget', ({ sessionId }) => this.#workers.delete(sessionId));
    workers.on('Target.receivedMessageFromTarget', ({ message }) => {
      const { id, result } = JSON.parse(message) as { id: number; result: HeapUsage };
      this.#waiting.get(id)?.(result);
      this.#waiting.delete(id);
    });
    await workers.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: false, flatten: false });
  }

  get #protocol(): WorkerProtocol {
    return this.#session;
  }

  #ask(sessionId: string, method: string): Promise<HeapUsage> {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, resolve);
      const message = JSON.stringify({ id, method, params: {} });
      this.#protocol.send('Target.sendMessageToTarget', { sessionId, message }).catch(reject);
    });
  }

  /** The browser has one for this page, and small ones for its own surface. */
  #rendererBytes(): number {
    const all = processes();
    const main = all.find(({ pid }) => pid === this.#person.chromium.pid)?.args ?? '';
    const profile = /--user-data-dir=\S+/.exec(main)?.[0] ?? '--no-such-profile';
    const renderers = all.filter(({ args }) => args.includes(profile) && args.includes('--type=renderer'));
    return sum(renderers.map(({ pid }) => residentBytes(pid)));
  }
}

function residentBytes(pid: number): number {
  if (!existsSync('/proc/self/status'))
    return 1024 * Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }));
  return 1024 * Number(/^RssAnon:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? NaN);
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
