/** Entry of the engine's dedicated worker. */
import type { FromPage } from '../../protocol/page.ts';
import { runEngine } from './run-engine.ts';

declare const self: DedicatedWorkerGlobalScope;

const receive = runEngine((message, transfer = []) => self.postMessage(message, transfer), 'RTCDataChannel' in self);
self.onmessage = ({ data }: MessageEvent<FromPage>) => receive(data);
