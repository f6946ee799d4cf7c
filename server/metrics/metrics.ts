/** All that `/metrics` shows of one server, in a registry of its own: several servers in one process don't mix. Owned by whoever makes the server. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { DigestService } from '../digest-service/digest-service.ts';
import type { MeshSwitch } from '../mesh-switch.ts';
import type { Signaling } from '../signaling/create-signaling.ts';
import type { SignalingObserver } from '../signaling/observer.ts';
import { ClientMetrics } from './client-metrics.ts';
import { HttpMetrics } from './http-metrics.ts';
import { REDIS_SECONDS } from './limits.ts';
import { gaugeOf, SignalingMetrics } from './signaling-metrics.ts';

export class Metrics {
  readonly http: HttpMetrics;
  /** For createSignaling. */
  readonly observer: Required<SignalingObserver>;
  readonly #registry = new Registry();
  readonly #signaling: SignalingMetrics;
  /** Is to be told of each file that was hashed. */
  readonly hashed: (bytes: number, milliseconds: number) => void;

  constructor() {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry }); // process_*, and nodejs_* with the event loop's lag
    this.http = new HttpMetrics(this.#registry);
    this.#signaling = new SignalingMetrics(this.#registry);
    const clients = new ClientMetrics(this.#registry);
    const counter = (name: string, help: string): Counter => new Counter({ name, help, registers });
    const files = counter('p2p_hashed_files_total', 'Files, and ranges of files, that were hashed for their digests');
    const size = counter('p2p_hashed_bytes_total', 'Bytes that were hashed for digests');
    const time = counter('p2p_hashing_seconds_total', 'Seconds that hashing took, reading included');
    this.hashed = (bytes, milliseconds) => {
      files.inc();
      size.inc(bytes);
      time.inc(Math.max(0, milliseconds) / 1000); // a clock may be put back
    };
    this.observer = {
      joined: (answer, milliseconds) => this.#signaling.joined(answer, milliseconds),
      beacon: (beacon, group, isClamped) => clients.add(beacon, group, isClamped),
      refused: (code) => this.#signaling.refused(code),
      news: () => this.#signaling.news(),
    };
  }

  /** Called once, when there is one. */
  watchSignaling(signaling: Signaling, meshSwitch: MeshSwitch): void {
    this.#signaling.watch(signaling, meshSwitch);
  }

  /** Called once, where there is one. */
  watchDigestService(service: Pick<DigestService, 'counters'>): void {
    const gauge = (name: string, help: string, value: () => number): void =>
      this.#registry.registerMetric(new Gauge({ name, help, registers: [], collect: gaugeOf(value) }));
    gauge('p2p_digest_service_playlists', 'Playlists that are known', () => service.counters.playlists);
    gauge('p2p_digest_service_waiting', 'Assets that wait to be hashed', () => service.counters.waitingAssets);
    const assets = new Counter({
      name: 'p2p_digest_service_assets_total',
      help: 'Assets of other origins; outcome: hashed, revalidated (nothing had changed), refused (too large, gone, not allowed)',
      labelNames: ['outcome'],
      registers: [],
      collect() {
        const { hashed, revalidated, refused } = service.counters;
        this.reset();
        for (const [outcome, count] of Object.entries({ hashed, revalidated, refused })) this.inc({ outcome }, count);
      },
    });
    this.#registry.registerMetric(assets);
  }

  /** Called once, where there is a Redis to be. @returns is to be told of each of its answers */
  watchRedis(isReady: () => boolean): (milliseconds: number, isAnswered: boolean) => void {
    const registers = [this.#registry];
    const up = new Gauge({
      name: 'p2p_redis_up',
      help: '1: the directory is shared through Redis; 0: it does not answer, or is told anew what it lost',
      registers: [],
      collect: gaugeOf(() => Number(isReady())),
    });
    this.#registry.registerMetric(up);
    const answers = new Histogram({
      name: 'p2p_redis_seconds',
      help: 'Time that Redis took to answer',
      buckets: REDIS_SECONDS,
      registers,
    });
    const failures = new Counter({ name: 'p2p_redis_failures_total', help: 'Commands without an answer', registers });
    return (milliseconds, isAnswered) => {
      if (isAnswered) answers.observe(milliseconds / 1000);
      else failures.inc();
    };
  }

  /** Media type of the text. */
  get type(): string {
    return this.#registry.contentType;
  }

  /** All of it, in Prometheus's text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
