/** What sessions say no with. */
import type { Refusal, RefusalCode } from '../../protocol/signaling.ts';
import { refusal } from './client-message.ts';

export const NOT_JOINED = refusal(
  'not-joined',
  'Join a swarm first; signals, claims and leaves are for peers that have an id, and a claim for a swarm that it is in.',
);

export const UNKNOWN_PEER = refusal(
  'unknown-peer',
  'No peer with this id that you were introduced to is connected now. It may have left; drop it.',
);

export const UNKNOWN_EVENT = refusal(
  'bad-message',
  'Expected one of the events "join", "signal", "claim", "leave", "report" and "beacon".',
);

export const SUPERSEDED = refusal('superseded', 'Another tab of this browser leads now. Use its engine.');

export const CANNOT_ANSWER = refusal('shutting-down', 'The server cannot answer now. Try again.', 1);

/** An unknown peer may just have left, a tab may not know yet that another leads, and a closing server is not the client's fault; admission has limits of its own. */
export const NO_FAULT: readonly RefusalCode[] = [
  'unknown-peer',
  'superseded',
  'shutting-down',
  'unauthorized',
  'full',
  'too-fast',
];

export const isRefusal = (reply: object): reply is Refusal => 'ok' in reply && reply.ok === false;
