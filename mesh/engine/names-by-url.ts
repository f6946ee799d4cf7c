/** What is at URLs, as we and our neighbours say: each name is a peer's word, for no origin told it. Owned by the ByUrl. */
import { byUrlDigest } from '../../protocol/digest.ts';
import type { AssetName, Digest, Sha256, SwarmId } from '../../protocol/ids.ts';
import { MAX_BY_URL_BYTES, MAX_NAMES_PER_FRAME } from '../../protocol/limits.ts';
import type { NamedByUrl } from '../../protocol/peer-message.ts';
import { MAX_BY_URL, MAX_BY_URL_FRESH_MS } from '../core/limits.ts';
import type { Clock } from '../core/ports.ts';
import type { NamesByUrl as Names } from './announcements.ts';
import type { Changes } from './changes.ts';
import type { Named, Neighbour } from './neighbour.ts';
import type { Neighbours } from './neighbours.ts';

/** An asset that is named by its URL. */
export interface FreshName extends Required<Omit<AssetName, 'leavesUrl'>> {
  /** Digest of the content itself. */
  readonly content: Digest;
  /** On the engine's clock, ms. */
  readonly until: number;
}

export interface NamesPorts {
  readonly clock: Clock;
  readonly sha256: Sha256;
  readonly changes: Changes;
  readonly neighbours: Neighbours;
  readonly swarm: SwarmId;
}

export class NamesByUrl implements Names {
  readonly #ports: NamesPorts;
  /** By the keys of URLs. */
  readonly #own = new Map<Digest, FreshName>();
  readonly #heard = new WeakMap<Neighbour, Map<Digest, FreshName>>();
  readonly #wrong = new Set<Digest>();

  constructor(ports: NamesPorts) {
    this.#ports = ports;
    ports.neighbours.announcements.byUrl = this;
  }

  tell(neighbour: Neighbour, swarm: SwarmId): void {
    if (swarm !== this.#ports.swarm) return;
    const { announcements } = this.#ports.neighbours;
    // What the store had to let go is not ours to name.
    for (const name of this.#own.values()) if (!announcements.holds(name.digest)) this.#own.delete(name.urlKey);
    this.#send(neighbour, [...this.#own.values()]);
  }

  heard(neighbour: Neighbour, { swarm, names }: Named): void {
    const { neighbours, swarm: ours } = this.#ports;
    if (swarm === neighbours.announcements.keyOf(ours)) for (const name of names) void this.#hear(neighbour, name);
  }

  /** What we hold ourselves. */
  own(key: Digest): FreshName | undefined {
    return this.#own.get(key);
  }

  /** Of several that neighbours say, that which most do; then that of our own site. */
  best(key: Digest): FreshName | undefined {
    const votes = new Map<Digest, { readonly name: FreshName; count: number }>();
    const { neighbours, clock } = this.#ports;
    for (const neighbour of [...neighbours.open].sort((a, b) => Number(b.sameSite) - Number(a.sameSite))) {
      const name = this.#heard.get(neighbour)?.get(key);
      if (!name || name.until <= clock.now() || this.#wrong.has(name.digest) || !neighbour.holds(name.digest)) continue;
      const vote = votes.get(name.digest);
      const until = Math.min(name.until, vote?.name.until ?? Infinity);
      votes.set(name.digest, { name: { ...name, until }, count: 1 + (vote?.count ?? 0) });
    }
    return [...votes.values()].sort((a, b) => b.count - a.count)[0]?.name;
  }

  /** The origin gives something else. */
  isWrong({ digest }: FreshName): void {
    addTo(this.#wrong, digest);
  }

  /** We hold it, and tell so until it is stale. */
  hold(name: FreshName): void {
    const { clock, neighbours, swarm } = this.#ports;
    this.#own.set(name.urlKey, name);
    for (const [neighbour] of neighbours.announcements.listeners(swarm)) this.#send(neighbour, [name]);
    neighbours.announcements.hold(swarm, name.digest);
    clock.after(name.until - clock.now(), () => {
      if (this.#own.get(name.urlKey) === name) this.drop(name);
    });
  }

  drop({ urlKey, digest }: FreshName): void {
    this.#own.delete(urlKey);
    this.#ports.neighbours.announcements.lose([digest]);
  }

  async #hear(neighbour: Neighbour, { urlKey, digest: content, size, freshFor }: NamedByUrl): Promise<void> {
    if (size > MAX_BY_URL_BYTES) return;
    const { clock, sha256, changes } = this.#ports;
    const until = clock.now() + Math.min(freshFor, MAX_BY_URL_FRESH_MS);
    const digest = await byUrlDigest(urlKey, { digest: content, size }, sha256);
    const names = this.#heard.get(neighbour) ?? new Map<Digest, FreshName>();
    this.#heard.set(neighbour, names);
    names.delete(urlKey);
    names.set(urlKey, { urlKey, digest, size, content, until });
    if (names.size > MAX_BY_URL) for (const oldest of names.keys()) if (names.delete(oldest)) break;
    changes.notify();
  }

  #send(neighbour: Neighbour, names: readonly FreshName[]): void {
    const { clock, neighbours, swarm: ours } = this.#ports;
    const swarm = neighbours.announcements.keyOf(ours);
    const said = names.map(({ urlKey, content: digest, size, until }) => ({
      urlKey,
      digest,
      size,
      freshFor: until - clock.now(),
    }));
    for (let i = 0; swarm !== undefined && i < said.length; i += MAX_NAMES_PER_FRAME)
      neighbour.send({ type: 'named', swarm, names: said.slice(i, i + MAX_NAMES_PER_FRAME) });
  }
}

/** As many as are remembered; the oldest goes. */
export function addTo(set: Set<Digest>, digest: Digest): void {
  set.add(digest);
  if (set.size > MAX_BY_URL) for (const oldest of set) if (set.delete(oldest)) break;
}
