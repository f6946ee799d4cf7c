/** Peers that share lines, an origin with block hashes, and liars among them: what the tests of crossings have in common. */
import type { Digest } from '../../../protocol/ids.ts';
import type { PeerMessage } from '../../../protocol/peer-message.ts';
import { swarmOfName } from '../../../protocol/swarm.ts';
import { swarmKey } from '../../../protocol/swarm-key.ts';
import type { Resource } from '../world/memory-origin.ts';
import { Pipe } from '../world/pipe.ts';
import type { BlockRequest, RawLine, RawPeer, RawPeerOptions } from '../world/raw-peer.ts';
import { WEB_ORIGIN } from '../world/surroundings.ts';
import { nodeSha256, type TestAsset } from '../world/test-asset.ts';
import type { Asking, WorldPeer, WorldPeerOptions } from '../world/world-peer.ts';
import { World } from '../world/world.ts';

const MANIFEST = `${WEB_ORIGIN}/p2p-manifest.json`;

export const KEY = await swarmKey(swarmOfName(WEB_ORIGIN), nodeSha256);

/** What a raw peer says without being asked. */
export type Announcement = Extract<PeerMessage, { swarm: unknown }>;

export class Classroom {
  readonly world = new World();
  readonly #lineRate: number;
  readonly #lines = new Map<string, Pipe>();
  readonly #siteOf = new Map<string, string>();
  readonly #hanging = new Set<string>();
  /** Who asked where the origin hangs. */
  readonly hung: string[] = [];

  /** @param lineRate what each site's line carries, bytes per millisecond */
  constructor(lineRate = 1000) {
    this.#lineRate = lineRate;
    const { clock, origin } = this.world;
    origin.put(MANIFEST, Uint8Array.from(Buffer.from('{"version":1,"leaves":"/p2p/leaves/","assets":{}}')));
    this.#hangs();
    const lineOf = (site: string): Pipe => {
      const pipe = this.#lines.get(site) ?? new Pipe(clock, lineRate);
      this.#lines.set(site, pipe);
      return pipe;
    };
    origin.route = (to) => ({
      pipes: [lineOf(this.#siteOf.get(to) ?? 'home')],
      gate: null,
      latency: 0,
      window: 64 * 1024,
    });
  }

  peer(name: string, options: Partial<WorldPeerOptions> = {}): WorldPeer {
    if (options.site !== undefined) this.#siteOf.set(name, options.site);
    return this.world.peer(name, { manifest: MANIFEST, ...options });
  }

  /** Peers of one site, in the order in which they stand in line. */
  async peers(count: number, options: Partial<WorldPeerOptions> = {}): Promise<WorldPeer[]> {
    const peers: WorldPeer[] = [];
    for (let i = 0; i < count; i++) {
      peers.push(this.peer(`${options.site ?? 'P'}${i}`, options));
      await this.world.clock.advance(100);
    }
    return peers;
  }

  /** An asset that the origin has, with its block hashes. */
  async asset(path: string, size: number, how: Partial<Resource> = {}): Promise<TestAsset> {
    const asset = await this.world.asset(path, size, how);
    this.world.origin.put(leavesUrl(asset), asset.leaves);
    return asset;
  }

  /** All ask for it at once, or so many ms one after the other. */
  async ask(
    peers: readonly WorldPeer[],
    asset: TestAsset,
    more: Parameters<WorldPeer['ask']>[1] = {},
    apart = 0,
  ): Promise<Asking[]> {
    const askings: Asking[] = [];
    for (const peer of peers) {
      askings.push(peer.ask(asset, more));
      if (apart > 0) await this.world.clock.advance(apart);
    }
    return askings;
  }

  /** So many peers that are each other's neighbours and have heard of all that there is to hear of, and an asset of 1 MB. */
  static async seated(
    count: number,
    { lineRate = 1000, claims = true }: { readonly lineRate?: number; readonly claims?: boolean } = {},
  ): Promise<{ room: Classroom; peers: WorldPeer[]; lesson: TestAsset }> {
    const room = new Classroom(lineRate);
    const peers = await room.peers(count);
    await room.settled(peers, claims);
    return { room, peers, lesson: await room.asset('lesson.ts', 1_000_000) };
  }

  /** @param claims does the server say who crosses? If not, it is as with assets after the first of a swarm. */
  async settled(peers: readonly WorldPeer[], claims: boolean, neighbours = peers.length - 1): Promise<void> {
    await this.world.connected(peers, neighbours);
    await this.world.clock.advance(1500);
    this.world.server.settlesClaims = claims;
  }

  /** How long one alone on its line takes for it, ms. */
  alone({ body }: TestAsset): number {
    return this.world.origin.latency + body.length / this.#lineRate;
  }

  async answered(askings: readonly Asking[], most = 60_000): Promise<void> {
    await this.world.clock.until(() => askings.every(({ answer }) => answer !== null), most);
  }

  /** Who asked the origin for this. */
  crossed({ url }: TestAsset): string[] {
    return this.world.origin.requests.filter((request) => request.url === url).map(({ by }) => by);
  }

  /** Copies of the asset that left the origin. */
  copies({ url, body }: TestAsset): number {
    const sent = this.world.origin.requests.filter((request) => request.url === url).map((request) => request.sent);
    return sent.reduce((sum, bytes) => sum + bytes, 0) / body.length;
  }

  /** From now on the origin takes this peer's requests for the asset, and never sends a byte. */
  hang(by: string, { url }: Pick<TestAsset, 'url'>): void {
    this.#hanging.add(`${by} ${url}`);
  }

  #hangs(): void {
    const { origin } = this.world;
    const fetchFor = origin.fetchFor.bind(origin);
    origin.fetchFor = (by) => {
      const fetch = fetchFor(by);
      return (request) => {
        if (!this.#hanging.has(`${by} ${request.url}`)) return fetch(request);
        this.hung.push(by);
        const { signal } = request;
        return new Promise((_, reject) =>
          signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true }),
        );
      };
    };
  }
}

export const leavesUrl = ({ name }: TestAsset): string => `${WEB_ORIGIN}/p2p/leaves/${name.digest}`;

/** A peer of the site that says things on each of its lines, and does what the test says about requests. */
export async function liar(
  room: Classroom,
  options: Partial<RawPeerOptions> & { readonly says?: readonly Announcement[] },
): Promise<RawPeer> {
  const { says = [], ...rest } = options;
  const raw = room.world.rawPeer('L', rest);
  let told = 0;
  const tell = (): void => {
    while (told < raw.lines.length) {
      const line = raw.lines[told++]!;
      room.world.clock.after(20, () => says.forEach((message) => line.send(message)));
    }
    room.world.clock.after(20, tell);
  };
  tell();
  await room.world.clock.advance(100);
  return raw;
}

export const fetching = (digest: Digest, hops = 0, lineRate = 0): Announcement => ({
  type: 'fetching',
  swarm: KEY,
  digest,
  hops,
  lineRate,
});

export const queued = (digest: Digest): Announcement => ({ type: 'queued', swarm: KEY, digests: [digest] });

/** Gives what is asked, as far as `how` lets it. */
export const serve =
  (
    asset: TestAsset,
    how: (line: RawLine, request: BlockRequest, blocks: PeerMessage[]) => void,
  ): RawPeerOptions['answer'] =>
  (request, line) => {
    if (request.digest !== asset.name.digest) return line.send({ ...request, type: 'refuse', reason: 'not-held' });
    if (request.leaves)
      line.send({
        type: 'leaves',
        request: request.request,
        size: asset.name.size,
        untrustedLeaves: asset.leaves,
      });
    const blocks = Array.from({ length: request.count }, (_, i): PeerMessage => {
      const index = request.first + i;
      const untrustedBlock = asset.body.slice(index * 65_536, (index + 1) * 65_536);
      return { type: 'block', request: request.request, index, untrustedBlock };
    });
    how(line, request, blocks);
  };
