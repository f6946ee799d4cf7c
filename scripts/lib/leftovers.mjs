// Kills what a test of this run left running. test/harness notes each process that it starts as a file named after the pid in the folder
// P2P_PIDS, with a word of its command line in it. Each run has a folder of its own: others may run tests in the same checkout.
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { processes } from './processes.mjs';
import { ROOT } from './run.mjs';

const FOLDER = `${ROOT}.cache/pids-${process.pid}/`;

export const LEFTOVERS_ENV = { P2P_PIDS: FOLDER };

export function sweepLeftovers() {
  if (!existsSync(FOLDER)) return;
  const running = new Map(processes().map(({ pid, args }) => [pid, args]));
  for (const name of readdirSync(FOLDER)) {
    const word = readFileSync(FOLDER + name, 'utf8');
    // The pid may have been given to another process since.
    if (word !== '' && running.get(Number(name))?.includes(word)) kill(Number(name));
  }
  rmSync(FOLDER, { recursive: true, force: true });
}

function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL');
    console.log(`  killed process ${pid}, which a test had left running`);
  } catch {
    // it has just ended
  }
}
