// Rollup: the engine's worker as an entry of the same build, and `new URL('…/worker.ts', import.meta.url)` in the sources made to point at it
// from whatever chunk the code ends up in. Unbuilt sources (tests) work with the same line as it stands.
import { dirname, resolve } from 'node:path';

const WORKER_URL = /new URL\(\s*(['"])(\.[^'"]*\.ts)\1\s*,\s*import\.meta\.url\s*,?\s*\)/g;

export function engineWorker(source, fileName) {
  const worker = resolve(source);
  let reference;
  return {
    name: 'engine-worker',
    buildStart() {
      reference = this.emitFile({ type: 'chunk', id: worker, fileName });
    },
    transform: {
      order: 'pre',
      handler(code, id) {
        let found = false;
        const replaced = code.replace(WORKER_URL, (match, _quote, path) => {
          if (resolve(dirname(id), path) !== worker) return match;
          found = true;
          return `new URL(import.meta.ROLLUP_FILE_URL_${reference})`;
        });
        // The line count stays the same, so the map of this one expression is left as it is.
        return found ? { code: replaced, map: null } : null;
      },
    },
  };
}
