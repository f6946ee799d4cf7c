import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../test/harness/serve.ts';

/** A copy of the built package, so that a build while the bench runs does not change what is measured. @returns its folder */
export function copyKit(parent: string): string {
  const folder = join(parent, 'kit');
  mkdirSync(folder);
  for (const part of ['dist', 'package.json']) cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'dir');
  return folder;
}
