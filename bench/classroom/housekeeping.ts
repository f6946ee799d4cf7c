/** What must be gone when the process is: lock, namespaces with all that runs in them, temporary files. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { releaseLock, takeLock } from './lock.ts';
import { teardown } from './namespaces.ts';

/** @returns a folder for temporary files; it, the namespaces and the lock go with this process, however it ends */
export function keepHouse(): string {
  const lock = join(tmpdir(), 'p2p-classroom.lock');
  takeLock(lock);
  const folder = mkdtempSync(join(tmpdir(), 'p2p-classroom-'));
  process.env['TMPDIR'] = folder; // the browsers' profiles, too
  process.on('exit', () => {
    teardown();
    rmSync(folder, { recursive: true, force: true });
    releaseLock(lock);
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130));
  hireJanitor(folder);
  return folder;
}

/** For ends that run no exit handler, such as scripts/bench.mjs's on Ctrl+C. */
function hireJanitor(folder: string): void {
  const janitor = spawn(
    process.execPath,
    ['--import', 'tsx', fileURLToPath(new URL('janitor.ts', import.meta.url)), folder],
    { stdio: ['pipe', 'ignore', 'inherit'], detached: true },
  );
  janitor.unref();
}
