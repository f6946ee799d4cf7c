import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/** Keeps this process, the generator, on the last core. @returns the first, for the server; undefined: there is only one, or no taskset */
export function splitCores(): number | undefined {
  const cores = availableParallelism();
  if (cores < 2 || process.platform !== 'linux') {
    console.error('Server and generator share their cores: figures are worth less.');
    return undefined;
  }
  execFileSync('taskset', ['-acp', String(cores - 1), String(process.pid)], { stdio: 'ignore' });
  return 0;
}
