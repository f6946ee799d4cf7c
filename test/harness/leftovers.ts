import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Set by scripts/test.mjs. A test that is run by hand has nobody to tidy up behind it. */
const folder = process.env['P2P_PIDS'];

/** Notes a process that scripts/test.mjs is to kill if this one ends without doing so. `word` is in its command line. */
export function noteProcess(pid: number, word: string): void {
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, String(pid)), word);
}

export function forgetProcess(pid: number): void {
  if (folder !== undefined) rmSync(join(folder, String(pid)), { force: true });
}
