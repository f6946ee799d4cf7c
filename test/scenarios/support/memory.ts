/** What a page takes of its machine's memory: all of its renderer process, and the script heaps of page, workers and service worker. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { TargetType, type CDPSession, type Page } from 'puppeteer-core';
import { processes } from '../../../scripts/lib/processes.mjs';

/** Bytes, with no garbage in the script heaps. */
export interface Memory {
  /** Of the renderer, without what it shares with other processes (Linux): scripts, buffers, the player's buffer, the decoder, the connections. */
  readonly renderer: number;
  /** Scripts and the memory of their ArrayBuffers. */
  readonly scripts: number;
}

/** @param pid of the page's browser, which has no other page */
export async function readMemory(pid: number, page: Page): Promise<Memory> {
  const heaps: number[] = [];
  // The service worker's too, which is in the same process: each request that it sees leaves 6 kB there until it collects its garbage.
  const serviceWorkers = page
    .browser()
    .targets()
    .filter((target) => target.type() === TargetType.SERVICE_WORKER);
  const sessions = await Promise.all([page, ...serviceWorkers].map((target) => target.createCDPSession()));
  try {
    for (const client of [...sessions, ...page.workers().map((worker) => worker.client)])
      heaps.push(await heapBytes(client));
  } finally {
    await Promise.all(sessions.map((session) => session.detach()));
  }
  return { renderer: rendererBytes(pid), scripts: sum(heaps) };
}

async function heapBytes(client: CDPSession): Promise<number> {
  await client.send('HeapProfiler.collectGarbage');
  const { usedSize, backingStorageSize } = await client.send('Runtime.getHeapUsage');
  return usedSize + backingStorageSize;
}

/** The browser has one for its page, and small ones for its own surface. */
function rendererBytes(browser: number): number {
  const all = processes();
  const main = all.find(({ pid }) => pid === browser)?.args ?? '';
  const profile = /--user-data-dir=\S+/.exec(main)?.[0] ?? '--no-such-profile';
  const renderers = all.filter(({ args }) => args.includes(profile) && args.includes('--type=renderer'));
  return sum(renderers.map(({ pid }) => residentBytes(pid)));
}

function residentBytes(pid: number): number {
  if (!existsSync('/proc/self/status'))
    return 1024 * Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }));
  return 1024 * Number(/^RssAnon:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? NaN);
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
