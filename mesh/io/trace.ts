import type { Trace } from '../core/ports.ts';

/**
 * Debug lines under `p2p:*`, by the `debug` package, which is loaded only when somebody listens.
 * @param namespaces as in `localStorage.debug`
 */
export function createTrace(namespaces: string): Trace {
  if (!namespaces.includes('p2p')) return () => undefined;
  const loaded = import('debug').then(({ default: debug }) => {
    debug.enable(namespaces);
    return debug;
  });
  return (namespace, text) => {
    const line = text();
    void loaded.then((debug) => debug(`p2p:${namespace}`)(line));
  };
}
