import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { P2PError } from '../protocol/error.ts';

/**
 * The folder of the p2p-elements package, whether this runs from source (`server/`), from `dist/`, or from somebody's `node_modules`:
 * the nearest folder upwards whose package.json bears our name.
 * @throws P2PError `bad-flag` if there is none, which means that single files were copied out of the package
 */
export function packageRoot(from: string = import.meta.url): string {
  let folder = dirname(fileURLToPath(from));
  for (;;) {
    if (isOurs(join(folder, 'package.json'))) return folder;
    const parent = dirname(folder);
    if (parent === folder)
      throw new P2PError(
        'bad-flag',
        `Expected to run from inside the p2p-elements package, but no package.json above ${fileURLToPath(from)} has that name. Install the package whole.`,
      );
    folder = parent;
  }
}

function isOurs(path: string): boolean {
  if (!existsSync(path)) return false;
  const parsed: unknown = JSON.parse(readFileSync(path, 'utf8'));
  return typeof parsed === 'object' && parsed !== null && 'name' in parsed && parsed.name === 'p2p-elements';
}
