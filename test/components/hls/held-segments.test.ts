import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeldSegments } from '../../../components/hls/held-segments.ts';
import type { MeshFace } from '../../../mesh/page/types.ts';
import type { Digest } from '../../../protocol/ids.ts';
import type { Held } from '../../../protocol/page.ts';

const A = 'a'.repeat(64) as Digest;
const B = 'b'.repeat(64) as Digest;

class AskedMesh extends EventTarget {
  readonly asked: (readonly Digest[])[] = [];
  readonly answers: ((held: Held[]) => void)[] = [];

  held(digests: readonly Digest[]): Promise<Held[]> {
    this.asked.push(digests);
    return new Promise((resolve) => this.answers.push(resolve));
  }

  tell(): void {
    this.dispatchEvent(new Event('stats'));
  }
}

/** `wanted` may change later. */
function setUp(wanted: Digest[] = [A, B]) {
  const mesh = new AskedMesh();
  const scope = new AbortController();
  const held = new HeldSegments(mesh as unknown as MeshFace, () => wanted, scope.signal);
  return { mesh, held, scope };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('each change asks the mesh who holds the next segments', async () => {
  const { mesh, held } = setUp();
  mesh.tell();
  assert.deepEqual(mesh.asked, [[A, B]]);
  assert.equal(held.of(A), 'nobody');
  mesh.answers[0]?.(['neighbour', 'store']);
  await turn();
  assert.equal(held.of(A), 'neighbour');
  assert.equal(held.of(B), 'store');
  assert.equal(held.of(null), 'nobody');
});

test('while nothing matters, nothing is asked', () => {
  const { mesh } = setUp([]);
  mesh.tell();
  assert.deepEqual(mesh.asked, []);
});

test('changes while an answer is due lead to one more question, not to many', async () => {
  const { mesh } = setUp();
  for (let i = 0; i < 5; i++) mesh.tell();
  assert.equal(mesh.asked.length, 1);
  mesh.answers[0]?.(['nobody', 'nobody']);
  await turn();
  assert.equal(mesh.asked.length, 2);
  mesh.answers[1]?.(['nobody', 'nobody']);
  await turn();
  assert.equal(mesh.asked.length, 2);
});

test('the same segment of two renditions is asked for once', () => {
  const { mesh } = setUp([A, A, B, A]);
  mesh.tell();
  assert.deepEqual(mesh.asked, [[A, B]]);
});

test('a new answer replaces the old one', async () => {
  const { mesh, held } = setUp([A]);
  mesh.tell();
  mesh.answers[0]?.(['neighbour']);
  await turn();
  mesh.tell();
  mesh.answers[1]?.(['nobody']);
  await turn();
  assert.equal(held.of(A), 'nobody');
});

test('when nothing matters any more, what was held is forgotten', async () => {
  const wanted = [A];
  const { mesh, held } = setUp(wanted);
  mesh.tell();
  mesh.answers[0]?.(['neighbour']);
  await turn();
  wanted.length = 0;
  mesh.tell();
  assert.equal(held.of(A), 'nobody');
});

test('a player that is gone asks nothing more', () => {
  const { mesh, scope } = setUp();
  scope.abort();
  mesh.tell();
  assert.deepEqual(mesh.asked, []);
});
