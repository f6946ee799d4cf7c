import { P2PError } from './error.ts';
import { toHex } from './hex.ts';
import { isSwarmId, type Sha256, type SwarmId, type SwarmKey } from './ids.ts';
import { ID_BYTES, MAX_SWARM_ID_CHARACTERS } from './limits.ts';

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

/** A swarm on the peer wire: the first 16 bytes of SHA-256 over "p2p-elements swarm", a zero and the id in UTF-16 code units, big endian. */
export async function swarmKey(swarm: SwarmId, sha256: Sha256): Promise<SwarmKey> {
  const text = `p2p-elements swarm\0${swarm}`;
  const input = new Uint8Array(2 * text.length);
  const view = new DataView(input.buffer);
  for (let i = 0; i < text.length; i++) view.setUint16(2 * i, text.charCodeAt(i));
  return toHex((await sha256(input)).subarray(0, ID_BYTES)) as SwarmKey;
}
