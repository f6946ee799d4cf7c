/** The one parser of clients' beacons: shape alone. What is plausible, BeaconGate decides. */
import * as v from 'valibot';
import { MAX_FIRST_FRAMES, type Beacon } from '../../protocol/beacon.ts';
import type { NoMesh } from '../../protocol/signaling.ts';
import { bad, type ParsedMessage } from '../signaling/client-message.ts';

/** All of them, in the order of docs/metrics.md. */
export const NO_MESH = [
  'not-sharing',
  'joining',
  'unreachable',
  'holdout',
  'switched-off',
  'alone',
  'unconnected',
] as const satisfies readonly NoMesh[];

const amount = v.pipe(
  v.number('an integer, not negative'),
  v.safeInteger('an integer, not negative'),
  v.minValue(0, 'an integer, not negative'),
);
const frames = `an array of at most ${MAX_FIRST_FRAMES} integers`;

const beaconSchema = v.object(
  {
    bytes: v.object({ origin: amount, peers: amount, store: amount, uploaded: amount }, 'an object'),
    stalls: amount,
    stalled: amount,
    firstFrames: v.pipe(v.array(v.unknown(), frames), v.maxLength(MAX_FIRST_FRAMES, frames), v.array(amount)),
    noMesh: v.nullable(v.picklist(NO_MESH, `one of ${NO_MESH.join(', ')}, or null`)),
  },
  'an object',
);

export function parseBeacon(untrusted: unknown): ParsedMessage<Beacon> {
  const parsed = v.safeParse(beaconSchema, untrusted, { abortEarly: true });
  return parsed.success
    ? { ok: true, value: parsed.output }
    : bad('beacon', '{ bytes, stalls, stalled, firstFrames, noMesh }', parsed.issues);
}
