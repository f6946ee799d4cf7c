import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

/**
 * One classroom at a time: two would spoil each other's figures, and share the names of their namespaces. A lock whose owner is gone is
 * taken over. @throws if another one is going on
 */
export function takeLock(file: string): void {
  for (let attempt = 0; ; attempt++) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' });
      return;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const owner = ownerOf(file);
    if (attempt > 0 || (owner !== '' && existsSync(`/proc/${owner}`)))
      throw new Error(`Another classroom is going on (process ${owner}, ${file}).`);
    rmSync(file, { force: true });
  }
}

/** Only one's own. */
export function releaseLock(file: string): void {
  if (ownerOf(file) === String(process.pid)) rmSync(file, { force: true });
}

function ownerOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // it has just gone
  }
}
