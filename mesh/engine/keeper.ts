/** What we bring for others while we are a site's keeper: of what they want, that which our own players expect too, for only of that we know the URL. Owned by the Neighbours. */
import type { Digest, SwarmId } from '../../protocol/ids.ts';
import type { Expected } from '../../protocol/page.ts';
import type { Want } from '../../protocol/peer-message.ts';
import { DUTY_MS, KEEPER_CROSSINGS, MAX_DUTIES } from '../core/limits.ts';
import type { Clock } from '../core/ports.ts';

export interface KeepersWork {
  readonly isKeeper: (swarm: SwarmId) => boolean;
  /** Brings an asset; resolves when it is there, failed, or is not wanted any more. */
  readonly bring: (swarm: SwarmId, asset: Expected, signal: AbortSignal) => Promise<void>;
}

export interface KeeperPorts extends KeepersWork {
  readonly clock: Clock;
  readonly holds: (digest: Digest) => boolean;
  /** All that players of this page expect: kept up here. */
  readonly needed: Set<Digest>;
  /** Is it on its way to us, so that it need not be brought? */
  readonly isComing: (digest: Digest) => boolean;
  /** Tells the site what will be brought. */
  readonly announce: (swarm: SwarmId, digests: readonly Digest[]) => void;
}

interface Duty {
  readonly swarm: SwarmId;
  readonly asset: Expected;
  /** On the clock. */
  readonly neededAt: number;
}

export class Keeper {
  readonly #ports: KeeperPorts;
  readonly #windows = new Map<number, { readonly swarm: SwarmId; readonly assets: readonly Expected[] }>();
  readonly #duties = new Map<Digest, Duty>();
  #busy = 0;

  constructor(ports: KeeperPorts) {
    this.#ports = ports;
  }

  /** What a player of this page will ask for; an empty list ends it. */
  expect(player: number, swarm: SwarmId, assets: readonly Expected[]): void {
    if (assets.length === 0) this.#windows.delete(player);
    else this.#windows.set(player, { swarm, assets });
    const { needed } = this.#ports;
    needed.clear();
    for (const window of this.#windows.values()) for (const { name } of window.assets) needed.add(name.digest);
  }

  /** Somebody of our site wants these. */
  wanted(swarm: SwarmId, wants: readonly Want[]): void {
    if (!this.#ports.isKeeper(swarm)) return;
    const { clock, holds, isComing, announce } = this.#ports;
    const coming = wants.map(({ digest }) => digest).filter(isComing);
    for (const { digest, within } of wants) {
      const asset = this.#expected(swarm, digest);
      if (!asset || holds(digest) || isComing(digest) || this.#duties.size >= MAX_DUTIES) continue;
      this.#duties.set(digest, { swarm, asset, neededAt: clock.now() + within });
    }
    // Before the work begins, for FETCHING is the later word.
    const waiting = [...this.#duties].filter(([, duty]) => duty.swarm === swarm).map(([digest]) => digest);
    if (coming.length + waiting.length > 0) announce(swarm, [...coming, ...waiting]);
    this.#work();
  }

  #expected(swarm: SwarmId, digest: Digest): Expected | undefined {
    for (const window of this.#windows.values()) {
      const asset = window.assets.find(({ name }) => name.digest === digest);
      if (window.swarm === swarm && asset) return asset;
    }
    return undefined;
  }

  /** What is needed soonest first. */
  #work(): void {
    while (this.#busy < KEEPER_CROSSINGS) {
      const [next] = [...this.#duties.values()].sort((a, b) => a.neededAt - b.neededAt);
      if (!next) return;
      this.#duties.delete(next.asset.name.digest);
      const { digest } = next.asset.name;
      if (this.#ports.holds(digest) || this.#ports.isComing(digest)) continue;
      void this.#do(next);
    }
  }

  /** One that takes long makes place for the next, and is given up in the end. */
  async #do({ swarm, asset, neededAt }: Duty): Promise<void> {
    const { clock, bring } = this.#ports;
    const given = new AbortController();
    let isBusy = true;
    const free = (): void => {
      if (!isBusy) return;
      isBusy = false;
      this.#busy--;
      this.#work();
    };
    this.#busy++;
    const late = [clock.after(DUTY_MS, free), clock.after(2 * DUTY_MS, () => given.abort())];
    await bring(swarm, { ...asset, within: neededAt - clock.now() }, given.signal);
    for (const cancel of late) cancel();
    free();
  }
}
