/** One of two nodes is killed: its peers come back at the other. */
import { until } from '../../test/harness/until.ts';
import type { Fleet } from './fleet.ts';
import type { ServerProcess } from './server-process.ts';

/** What became of them. */
export interface Move {
  /** Peers of the node that was killed. */
  readonly moved: number;
  /** Milliseconds until the last of them had joined again. */
  readonly took: number;
  /** Peers that did not come back with their id, or whose id another has, too. */
  readonly lost: number;
  /** By how much the swarm's size in the directory is off, later on. */
  readonly surplus: number;
  /** Signals among all of them that did not come, or came more than once. */
  readonly signalsLost: number;
}

/** Milliseconds in which they should be back, on whatever machine. */
const PATIENCE_MS = 60_000;

export async function move(fleet: Fleet, swarm: string, killed: ServerProcess, signals: number): Promise<Move> {
  const ids = new Set(fleet.peers.map(({ id }) => id));
  const nodes = new Map<string, number>();
  for (const { node } of fleet.peers) nodes.set(node, (nodes.get(node) ?? 0) + 1);
  const moving = [...nodes].find(([node]) => node.endsWith(`:${killed.port}`))?.[1] ?? 0;
  let moved = 0;
  let took = NaN;
  const start = performance.now();
  fleet.letReturn(swarm, () => {
    moved++;
    took = performance.now() - start;
  });
  killed.kill();
  await until('all peers of the dead node are back', () => moved >= moving, { timeout: PATIENCE_MS });
  await fleet.join(fleet.peers, swarm);
  const after = new Set(fleet.peers.map(({ id }) => id));
  const sizes = fleet.peers.map(({ swarmSize }) => swarmSize);
  const lost = [...ids].filter((id) => !after.has(id)).length + fleet.peers.length - after.size;
  const tally = await fleet.exchange(fleet.peers, signals, true);
  return {
    moved,
    took,
    lost,
    surplus: (sizes.at(-1) ?? NaN) - fleet.peers.length,
    signalsLost: tally.missing + tally.surplus,
  };
}
