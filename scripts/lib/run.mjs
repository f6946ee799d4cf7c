// Child processes for the scripts: run one to its end, with its output shown or kept, and take it down with its children on a signal.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** node_modules/.bin/NAME as a path for `run`. */
export const bin = (name) => `${ROOT}node_modules/.bin/${name}`;

/**
 * Runs a command in the repository root to its end.
 * @param {{ env?: Record<string, string>, quiet?: boolean, timeout?: number }} options `quiet`: keep the output instead of showing it;
 *   `timeout`: milliseconds until the whole process group is killed.
 * @returns {Promise<{ code: number, output: string, timedOut: boolean }>} `code` is 1 when a signal ended it.
 */
export function run(command, args, { env = {}, quiet = false, timeout = 0 } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ['ignore', quiet ? 'pipe' : 'inherit', quiet ? 'pipe' : 'inherit'],
      detached: true,
    });
    if (process.env.P2P_AT_IDLE) letWait(child.pid);
    let output = '';
    let timedOut = false;
    const collect = (data) => (output += data);
    child.stdout?.setEncoding('utf8').on('data', collect);
    child.stderr?.setEncoding('utf8').on('data', collect);
    const kill = () => killGroup(child.pid);
    const stop = () => process.exit(130);
    const timer = timeout > 0 ? setTimeout(() => ((timedOut = true), kill()), timeout) : undefined;
    // Others may run beside it: the first signal ends this process, and its end takes all of them down.
    process.once('SIGINT', stop).once('SIGTERM', stop).once('exit', kill);
    const done = () => {
      clearTimeout(timer);
      process.off('SIGINT', stop).off('SIGTERM', stop).off('exit', kill);
    };
    child.on('error', (error) => (done(), reject(error)));
    child.on('close', (code) => (done(), resolve({ code: code ?? 1, output, timedOut })));
  });
}

/** Each of our children is a session, and Linux gives sessions equal shares, whatever the policy of what runs in them (sched(7), autogroup). */
function letWait(pid) {
  try {
    writeFileSync(`/proc/${pid}/autogroup`, '19');
  } catch {
    // there are no such shares here
  }
}

/** The child leads a process group of its own (`detached`), so this reaches what it started, too. */
function killGroup(pid) {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // it is gone already
  }
}

export const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`;
