/** Gives Node before 22 the WebSocket that browsers have. To be imported before what uses it. */
import { createRequire } from 'node:module';
import type { EventEmitter } from 'node:events';

const require = createRequire(import.meta.url);

if (!('WebSocket' in globalThis)) {
  const NodeWebSocket = createRequire(require.resolve('engine.io'))('ws') as new (...args: unknown[]) => EventEmitter;
  // In a browser an `error` that nobody listens to is no crash.
  const WebSocket = class extends NodeWebSocket {
    constructor(...args: unknown[]) {
      super(...args);
      this.on('error', () => undefined);
    }
  };
  Object.assign(globalThis, { WebSocket });
}
