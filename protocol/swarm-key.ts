import { toHex } from './hex.ts';
import type { Sha256, SwarmId, SwarmKey } from './ids.ts';
import { ID_BYTES } from './limits.ts';

/** A swarm on the peer wire: the first 16 bytes of SHA-256 over "p2p-elements swarm", a zero and the id in UTF-16 code units, big endian. */
export async function swarmKey(swarm: SwarmId, sha256: Sha256): Promise<SwarmKey> {
  const text = `p2p-elements swarm\0${swarm}`;
  const input = new Uint8Array(2 * text.length);
  const view = new DataView(input.buffer);
  for (let i = 0; i < text.length; i++) view.setUint16(2 * i, text.charCodeAt(i));
  return toHex((await sha256(input)).subarray(0, ID_BYTES)) as SwarmKey;
}
