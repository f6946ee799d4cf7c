/** The streams that the elements of a page play at the same time: they share the line. */
import type { MeshFace } from '../../mesh/index.ts';

export interface PlayedStream {
  readonly media: Pick<HTMLMediaElement, 'paused' | 'autoplay' | 'currentTime'>;
  /** null: it has none. */
  readonly swarm: string | null;
}

const players = new WeakMap<MeshFace, Set<PlayedStream>>();

/** Counts a player in, until the signal is aborted. */
export function notePlayer(mesh: MeshFace, player: PlayedStream, signal: AbortSignal): void {
  const all = players.get(mesh) ?? new Set();
  players.set(mesh, all.add(player));
  signal.addEventListener('abort', () => all.delete(player), { once: true });
}

/** How many streams are played, that of this player counted in any case. Two elements with the same stream count once. */
export function streamsAtOnce(mesh: MeshFace, player: PlayedStream): number {
  const playing = [...(players.get(mesh) ?? [])].filter((other) => other === player || plays(other));
  const named = new Set(playing.flatMap(({ swarm }) => swarm ?? []));
  return Math.max(1, named.size + playing.filter(({ swarm }) => swarm === null).length);
}

/** An element that is to play by itself counts before it has what it needs for that. */
const plays = ({ media }: PlayedStream): boolean => !media.paused || (media.autoplay && media.currentTime === 0);
