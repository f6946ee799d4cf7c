import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import type { Memory, Question, Usage } from './servers/control.ts';
import type { System } from './systems.ts';

/** The server of one system in a process of its own, on a core of its own. */
export class ServerProcess {
  readonly #child: ChildProcess;
  #port = 0;

  /**
   * @param core the core it is kept on; undefined: wherever there is room
   * @param profiles folder that a CPU profile of it is written to
   * @param env more of its environment
   */
  constructor(system: System, core: number | undefined, profiles?: string, env: Readonly<Record<string, string>> = {}) {
    const script = bundle(system.script);
    const profile = profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`];
    const node = [process.execPath, '--expose-gc', ...profile, script];
    const [command = '', ...args] = core === undefined ? node : ['taskset', '-c', String(core), ...node];
    this.#child = spawn(command, args, {
      env: { ...process.env, ...system.env, ...env },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get port(): number {
    return this.#port;
  }

  /** Resolves when it listens. */
  async listening(): Promise<void> {
    this.#port = (await this.#next()) as number;
  }

  async usage(): Promise<Usage> {
    return (await this.#ask('usage')) as Usage;
  }

  async memory(): Promise<Memory> {
    return (await this.#ask('memory')) as Memory;
  }

  /** Without a word. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** Resolves when it is gone. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.send('stop' satisfies Question);
    await ended;
  }

  async #ask(question: Question): Promise<unknown> {
    const answer = this.#next();
    this.#child.send(question);
    return answer;
  }

  #next(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const end = (code: number | null): void => reject(new Error(`A server ended with code ${code}.`));
      this.#child.once('exit', end);
      this.#child.once('message', (message) => {
        this.#child.off('exit', end);
        resolve(message);
      });
    });
  }
}

const bundles = new Map<string, string>();

/** Plain JavaScript, as the package has it: what tsx adds to each function would be measured too. Inside the package, so that its files are found. @returns its path */
function bundle(script: string): string {
  // a server that has just been started may still be reading it
  const made = bundles.get(script);
  if (made !== undefined) return made;
  const root = fileURLToPath(new URL('../../', import.meta.url));
  const outfile = `${root}.cache/bench/signaling/${script}.mjs`;
  buildSync({
    entryPoints: [`${root}bench/signaling/servers/${script}.ts`],
    outfile,
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20',
  });
  letPingsBeSet(outfile);
  bundles.set(script, outfile);
  return outfile;
}

/** Our own has no flag for it. By BENCH_PING_MS, as socket-io.ts. */
function letPingsBeSet(file: string): void {
  const code = readFileSync(file, 'utf8');
  const settable = code.replace(/(var PING_INTERVAL_MS = )(\w+);/, "$1Number(process.env['BENCH_PING_MS'] ?? $2);");
  if (code.includes('PING_INTERVAL_MS') && settable === code) throw new Error(`No interval of pings in ${file}.`);
  writeFileSync(file, settable);
}
