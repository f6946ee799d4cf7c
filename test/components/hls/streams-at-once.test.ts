import assert from 'node:assert/strict';
import test from 'node:test';
import { notePlayer, streamsAtOnce, type PlayedStream } from '../../../components/hls/streams-at-once.ts';
import type { MeshFace } from '../../../mesh/index.ts';

const player = (swarm: string | null, media: Partial<PlayedStream['media']> = {}): PlayedStream => ({
  swarm,
  media: { paused: false, autoplay: false, currentTime: 0, ...media },
});

function page(...players: readonly PlayedStream[]): { mesh: MeshFace; end: AbortController } {
  const mesh = {} as MeshFace;
  const end = new AbortController();
  for (const one of players) notePlayer(mesh, one, end.signal);
  return { mesh, end };
}

test('each stream that plays counts, whether it has a swarm or not', () => {
  const first = player('a');
  const { mesh } = page(first, player('b'), player(null), player(null));
  assert.equal(streamsAtOnce(mesh, first), 4);
});

test('two elements with one stream count once', () => {
  const first = player('a');
  const { mesh } = page(first, player('a'), player('b'));
  assert.equal(streamsAtOnce(mesh, first), 2);
});

test('a paused stream counts for itself only', () => {
  const [playing, paused] = [player('a'), player('b', { paused: true })];
  const { mesh } = page(playing, paused);
  assert.equal(streamsAtOnce(mesh, playing), 1);
  assert.equal(streamsAtOnce(mesh, paused), 2);
});

test('a stream that is to play by itself counts before it does, and no more once its viewer has paused it', () => {
  const first = player('a');
  const count = (currentTime: number): number =>
    streamsAtOnce(page(first, player('b', { paused: true, autoplay: true, currentTime })).mesh, first);
  assert.equal(count(0), 2);
  assert.equal(count(3), 1);
});

test('streams of another page, and those that have ended, do not count', () => {
  const first = player('a');
  const { mesh, end } = page(first, player('b'));
  page(player('c'));
  assert.equal(streamsAtOnce(mesh, first), 2);
  end.abort();
  assert.equal(streamsAtOnce(mesh, first), 1);
});
