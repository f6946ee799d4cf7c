import type { Clock, KeptTexts, Ports, Store } from '../../../mesh/core/ports.ts';
import type { LoadReads } from '../../../mesh/engine/asker.ts';
import { Engine, type Post } from '../../../mesh/engine/engine.ts';
import { ByUrl } from '../../../mesh/engine/by-url.ts';
import { FromOutside } from '../../../mesh/engine/from-outside.ts';
import { Reads } from '../../../mesh/engine/reads.ts';
import type { LoadOutside } from '../../../mesh/engine/transfer-ports.ts';
import { freshFor } from '../../../mesh/io/fresh-for.ts';
import type { Sha256 } from '../../../protocol/ids.ts';
import type { EngineOptions } from '../../../protocol/page.ts';
import { swarmOfName } from '../../../protocol/swarm.ts';
import { WEB_ORIGIN, type Surroundings } from './surroundings.ts';

export interface EnginePeerOptions {
  readonly name: string;
  /** Peers of one site share a line. */
  readonly site: string | undefined;
  readonly store: Store;
  readonly sha256: Sha256;
  readonly engine: Partial<EngineOptions>;
  readonly loadOutside?: LoadOutside | undefined;
  readonly loadReads?: LoadReads | undefined;
  /** Default: nothing. */
  readonly cached?: Ports['cached'] | undefined;
  /** Default: nothing is kept. */
  readonly kept?: KeptTexts | undefined;
  /** Default: all. */
  readonly mayShare?: ((url: string) => boolean) | undefined;
}

const DEFAULTS: EngineOptions = {
  webOrigin: WEB_ORIGIN,
  home: swarmOfName(WEB_ORIGIN),
  signal: 'https://signal.test',
  manifest: null,
  upload: true,
  maxUpload: null,
  maxStorage: null,
  share: true,
  sharesUnverified: false,
  relayOnly: false,
  patterns: null,
  lot: 5000,
  debug: '',
};

/** An engine with its ports in the world. */
export class EnginePeer {
  readonly engine: Engine;
  readonly #drop: () => void;
  #isAlive = true;

  constructor(
    world: Surroundings,
    { name, site, store, sha256, engine, loadOutside, loadReads, mayShare, kept, cached }: EnginePeerOptions,
    post: Post,
  ) {
    const { clock, random, network, server, origin, say } = world;
    const signaling = server.client(name, site);
    const page = network.page(name, {
      channel: (...all) => this.#isAlive && this.engine.channel(...all),
      connection: (message) => this.#isAlive && this.engine.connection(message),
      signal: (message) => this.#isAlive && this.engine.signal(message),
    });
    this.#drop = () => {
      page.cut();
      signaling.drop();
      origin.drop(name);
    };
    const ports = {
      clock: this.#mortal(clock),
      random,
      sha256,
      origin: origin.fetchFor(name),
      store,
      cached: cached ?? (() => Promise.resolve(null)),
      kept: kept ?? { read: () => Promise.resolve(null), write: () => Promise.resolve() },
      signaling,
      dialer: page,
      loadOutside: loadOutside ?? (() => Promise.resolve({ FromOutside })),
      loadReads: loadReads ?? (() => Promise.resolve({ Reads })),
      loadByUrl: () => Promise.resolve({ ByUrl, freshFor }),
      mayShare: mayShare ? Promise.resolve(mayShare) : null,
      trace: (namespace: string, text: () => string) => say?.(`${name} ${namespace}: ${text()}`),
    };
    this.engine = new Engine(ports, { ...DEFAULTS, ...engine }, post);
  }

  /** The browser dies: nothing is sent, nothing is said. */
  die(): void {
    this.#isAlive = false;
    this.#drop();
  }

  /** Timers of a dead browser never fire. */
  #mortal(clock: Clock): Clock {
    return {
      now: () => clock.now(),
      after: (milliseconds, run) => clock.after(milliseconds, () => this.#isAlive && run()),
    };
  }
}
