/** Gives Node before 22 the WebSocket that browsers have. To be imported before what uses it. */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

if (!('WebSocket' in globalThis))
  Object.assign(globalThis, { WebSocket: createRequire(require.resolve('engine.io'))('ws') as unknown });
