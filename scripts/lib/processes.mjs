// Running processes and their command lines: from /proc where there is one (a slim Debian has no `ps`), else from ps.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';

/** @returns {{ pid: number, args: string }[]} without those that have ended and only wait for their parent to look (zombies) */
export function processes() {
  return existsSync('/proc/self/cmdline') ? fromProc() : fromPs();
}

export const isAlive = (pid) => processes().some((process) => process.pid === pid);

/** A zombie's command line is empty. */
const fromProc = () =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ pid: Number(name), args: commandLine(name) }))
    .filter(({ args }) => args !== '');

function commandLine(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return ''; // it has just ended
  }
}

const fromPs = () =>
  execFileSync('ps', ['-ww', '-Ao', 'pid=,stat=,args='], { encoding: 'utf8', maxBuffer: 64 << 20 })
    .split('\n')
    .map((line) => /^\s*(\d+)\s+([^Z]\S*)\s+(.*)$/.exec(line))
    .filter(Boolean)
    .map(([, pid, , args]) => ({ pid: Number(pid), args }));
