// Rollup: `new URL('…/worker.ts', import.meta.url)` in the sources points at the built worker from whatever chunk the code ends up in.
// Unbuilt sources (tests) work with the same line as it stands.
import { dirname, relative, resolve } from 'node:path';

const WORKER_URL = /(new URL\(\s*)(['"])(\.[^'"]*\.ts)\2(\s*,\s*import\.meta\.url\s*,?\s*\))/g;

export function engineWorker(source, fileName) {
  const worker = resolve(source);
  return {
    name: 'engine-worker',
    transform: {
      order: 'pre',
      handler(code, id) {
        const replaced = code.replace(WORKER_URL, (match, before, _quote, path, after) =>
          resolve(dirname(id), path) === worker ? `${before}import.meta.ENGINE_WORKER${after}` : match,
        );
        // The line count stays the same, so the map of this one expression is left as it is.
        return replaced === code ? null : { code: replaced, map: null };
      },
    },
    resolveImportMeta(property, { chunkId }) {
      if (property !== 'ENGINE_WORKER') return null;
      const path = relative(dirname(chunkId), fileName);
      return JSON.stringify(path.startsWith('.') ? path : `./${path}`);
    },
  };
}
