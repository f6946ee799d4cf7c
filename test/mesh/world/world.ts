/**
 * A world for engines in one process: a virtual clock, seeded chance, and in memory the server, the links and the origin. The same seed
 * gives the same run, and the same log of every message and decision.
 */
import type { Random } from '../../../mesh/core/ports.ts';
import { MemoryOrigin, type Resource } from './memory-origin.ts';
import { Network } from './network.ts';
import { RawPeer, type RawPeerOptions } from './raw-peer.ts';
import { seededRandom } from './seeded-random.ts';
import { SignalServer } from './signal-server.ts';
import { WEB_ORIGIN, type Surroundings } from './surroundings.ts';
import { testAsset, type TestAsset } from './test-asset.ts';
import { VirtualClock } from './virtual-clock.ts';
import { WorldPeer, type WorldPeerOptions } from './world-peer.ts';

export class World implements Surroundings {
  readonly log: string[] = [];
  readonly clock = new VirtualClock();
  readonly say = (line: string): void => void this.log.push(`${this.clock.now().toFixed(3)} ${line}`);
  readonly random: Random;
  readonly network: Network;
  readonly server: SignalServer;
  readonly origin: MemoryOrigin;

  constructor(seed = 1) {
    this.random = seededRandom(seed);
    this.network = new Network(this.clock, this.say);
    this.server = new SignalServer(this.clock, this.random, this.say);
    this.origin = new MemoryOrigin(this.clock, this.say);
  }

  /** Lines of the log that contain all of these texts. */
  said(...texts: string[]): string[] {
    return this.log.filter((line) => texts.every((text) => line.includes(text)));
  }

  /** An asset that the origin has. */
  async asset(path: string, size: number, how: Partial<Resource> = {}): Promise<TestAsset> {
    const asset = await testAsset(`${WEB_ORIGIN}/${path}`, size);
    this.origin.put(asset.url, asset.body, how);
    return asset;
  }

  peer(name: string, options: Partial<WorldPeerOptions> = {}): WorldPeer {
    return new WorldPeer(this, name, options);
  }

  /** A peer that speaks the protocol as the test likes. */
  rawPeer(name: string, options: Partial<RawPeerOptions> = {}): RawPeer {
    return new RawPeer(this, name, options);
  }

  /** Until all these peers are joined and each has this many neighbours. */
  async connected(peers: readonly WorldPeer[], neighbours = peers.length - 1): Promise<void> {
    await this.clock.until(
      () => peers.every(({ stats }) => stats.signaling === 'joined' && stats.peers === neighbours),
      10_000,
    );
    await this.clock.advance(100);
  }
}
