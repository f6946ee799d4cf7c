// Kills what tests left running. test/harness notes each process that it starts as a file named after the pid in the folder P2P_PIDS, with a
// word of its command line in it. Each process that runs tests has a folder of its own: others run beside it, and in the same checkout.
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { processes } from './processes.mjs';
import { ROOT } from './run.mjs';

const folders = new Set();

process.on('exit', () => folders.forEach(sweepLeftovers));

/** @returns {string} a value for P2P_PIDS */
export function leftoversFolder() {
  const folder = `${ROOT}.cache/pids-${process.pid}-${folders.size}/`;
  folders.add(folder);
  return folder;
}

export function sweepLeftovers(folder) {
  if (!existsSync(folder)) return;
  const running = new Map(processes().map(({ pid, args }) => [pid, args]));
  for (const name of readdirSync(folder)) {
    const word = readFileSync(folder + name, 'utf8');
    // The pid may have been given to another process since.
    if (word !== '' && running.get(Number(name))?.includes(word)) kill(Number(name));
  }
  rmSync(folder, { recursive: true, force: true });
}

function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL');
    console.log(`  killed process ${pid}, which a test had left running`);
  } catch {
    // it has just ended
  }
}
