/** The stream: its segments, a SHA-256 that knows their blocks by heart, and stores that share one copy of each. */
import { hash } from 'node:crypto';
import type { Store, StoredAsset } from '../../mesh/core/ports.ts';
import { MemoryStore } from '../../mesh/io/memory-store.ts';
import { nameOf } from '../../protocol/digest.ts';
import type { Digest, Sha256 } from '../../protocol/ids.ts';
import { BLOCK_BYTES } from '../../protocol/limits.ts';
import type { TestAsset } from '../../test/mesh/world/test-asset.ts';
import { WEB_ORIGIN } from '../../test/mesh/world/surroundings.ts';

export interface Segment extends TestAsset {
  readonly index: number;
}

type Bytes = Uint8Array<ArrayBuffer>;

/** Each block of the stream begins with this and the numbers of its segment and block. */
const MARK = 0x5e6d_b10c;
const MARK_BYTES = 12;

/** Short inputs (leaves, swarm names) whose hashes are remembered. */
const REMEMBERED = 4096;

export class Content {
  readonly segments: readonly Segment[];
  readonly #byDigest: ReadonlyMap<Digest, Segment>;
  readonly sha256: Sha256;

  private constructor(segments: readonly Segment[], sha256: Sha256) {
    this.segments = segments;
    this.#byDigest = new Map(segments.map((segment) => [segment.name.digest, segment]));
    this.sha256 = sha256;
  }

  static async create(count: number, blocks: number): Promise<Content> {
    const filler = new Uint8Array(BLOCK_BYTES).map((_, i) => (i * 167) ^ (i >> 8));
    const bodies = Array.from({ length: count }, (_, index) => bodyOf(index, blocks, filler));
    const sha256 = knowing(bodies);
    const segments: Segment[] = [];
    for (const [index, body] of bodies.entries()) {
      const { digest, size, leaves } = await nameOf(body, sha256);
      segments.push({ index, url: `${WEB_ORIGIN}/lesson/${index}.ts`, body, leaves, name: { digest, size } });
    }
    return new Content(segments, sha256);
  }

  get segmentBytes(): number {
    return this.segments[0]?.name.size ?? 0;
  }

  /** A peer's store; what it holds takes no memory of its own. */
  store(capacity: number): Store {
    const store = new MemoryStore(capacity);
    return {
      ready: store.ready,
      needed: store.needed,
      has: (digest) => store.has(digest),
      read: (digest) => store.read(digest),
      used: (digest) => store.used(digest),
      put: (asset) => store.put(this.#shared(asset)),
      settled: () => store.settled(),
      clear: () => store.clear(),
      listen: (losing) => store.listen(losing),
    };
  }

  /** The engine has checked the asset by then: same digest, same bytes. */
  #shared(asset: StoredAsset): StoredAsset {
    const known = this.#byDigest.get(asset.digest);
    return known ? { ...asset, body: known.body, leaves: known.leaves } : asset;
  }
}

function bodyOf(index: number, blocks: number, filler: Bytes): Bytes {
  const body = new Uint8Array(blocks * BLOCK_BYTES);
  const view = new DataView(body.buffer);
  for (let block = 0; block < blocks; block++) {
    const start = block * BLOCK_BYTES;
    body.set(filler, start);
    view.setUint32(start, MARK);
    view.setUint32(start + 4, index);
    view.setUint32(start + 8, block);
  }
  return body;
}

/** Which segment does a block claim to be of? null: of none. */
export function segmentOf(untrustedBlock: Uint8Array): number | null {
  const mark = markOf(untrustedBlock);
  return mark && mark.segment;
}

function markOf(bytes: Uint8Array): { segment: number; block: number } | null {
  if (bytes.length < MARK_BYTES) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return view.getUint32(0) === MARK ? { segment: view.getUint32(4), block: view.getUint32(8) } : null;
}

/** SHA-256 that computes nothing twice. A block is only taken for a known one when all its bytes are the same, so a wrong one is still found out. */
function knowing(bodies: readonly Bytes[]): Sha256 {
  const known = bodies.map((body) =>
    Array.from({ length: body.length / BLOCK_BYTES }, (_, index) => {
      const block = body.subarray(index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES);
      return { block, hash: Promise.resolve(sha256(block)) };
    }),
  );
  const short = new Map<string, Promise<Bytes>>();
  return (bytes) => {
    const mark = markOf(bytes);
    const candidate = mark && known[mark.segment]?.[mark.block];
    if (candidate && Buffer.compare(candidate.block, bytes) === 0) return candidate.hash;
    if (bytes.length > REMEMBERED) return Promise.resolve(sha256(bytes));
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    const found = short.get(text) ?? Promise.resolve(sha256(bytes));
    if (short.size < 10_000) short.set(text, found);
    return found;
  };
}

const sha256 = (bytes: Bytes): Bytes => Uint8Array.from(hash('sha256', bytes, 'buffer'));
