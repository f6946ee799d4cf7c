import { P2PError } from './error.ts';
import type { SwarmId } from './ids.ts';
import { MAX_SWARM_ID_CHARACTERS } from './limits.ts';

export const isSwarmId = (value: unknown): value is SwarmId =>
  typeof value === 'string' &&
  value.length > 0 &&
  value.length <= MAX_SWARM_ID_CHARACTERS &&
  !/[\u0000-\u001f\u007f]/.test(value);

/** The swarm of a stream: its URL without query and fragment, so that signed URLs do not split it. */
export function swarmOfStream(url: string): SwarmId {
  const end = url.search(/[?#]/);
  // Of a very long URL the end tells more than the beginning.
  return swarmOfName((end < 0 ? url : url.slice(0, end)).slice(-MAX_SWARM_ID_CHARACTERS));
}

/** The swarm that a page author named. @throws P2PError `bad-attribute` if it is empty, too long or has control characters. */
export function swarmOfName(name: string): SwarmId {
  if (isSwarmId(name)) return name;
  throw new P2PError(
    'bad-attribute',
    `A swarm's name has 1 to ${MAX_SWARM_ID_CHARACTERS} characters and no control characters; this one has ${name.length}.`,
    { name },
  );
}
