/** What the signaling does: who is there, joins, signals, refusals. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { MeshSwitch } from '../mesh-switch.ts';
import type { MeshOff, RefusalCode } from '../../protocol/signaling.ts';
import type { Signaling } from '../signaling/create-signaling.ts';
import { JOIN_SECONDS } from './limits.ts';

const REFUSALS = {
  'bad-message': true,
  'wrong-version': true,
  'not-joined': true,
  'unknown-peer': true,
  'too-many-swarms': true,
  superseded: true,
  'shutting-down': true,
  unauthorized: true,
  full: true,
  'too-fast': true,
} satisfies Record<RefusalCode, true>;

export class SignalingMetrics {
  readonly #registry: Registry;
  /** Of each answer, so that a join makes neither labels nor a closure. */
  readonly #joins: Readonly<Record<'mesh' | MeshOff, Histogram.Internal<'answer'>>>;
  readonly #refusals: Counter<'reason'>;
  readonly #news: Counter;

  constructor(registry: Registry) {
    this.#registry = registry;
    const registers = [registry];
    const joins = new Histogram({
      name: 'p2p_join_seconds',
      help: 'Time to answer a join; answer: mesh, or why there is none for this viewer',
      labelNames: ['answer'],
      buckets: JOIN_SECONDS,
      registers,
    });
    this.#refusals = new Counter({
      name: 'p2p_refusals_total',
      help: 'Messages of clients that were refused, by the code that they were told',
      labelNames: ['reason'],
      registers,
    });
    this.#news = new Counter({
      name: 'p2p_swarm_news_total',
      help: 'Messages that tell the members of a swarm at one site of its state',
      registers,
    });
    for (const answer of ['mesh', 'holdout', 'switched-off'] as const) joins.zero({ answer });
    this.#joins = {
      mesh: joins.labels('mesh'),
      holdout: joins.labels('holdout'),
      'switched-off': joins.labels('switched-off'),
    };
    for (const reason of Object.keys(REFUSALS)) this.#refusals.inc({ reason }, 0);
  }

  joined(answer: 'mesh' | MeshOff, milliseconds: number): void {
    this.#joins[answer].observe(milliseconds / 1000);
  }

  refused(reason: RefusalCode): void {
    this.#refusals.inc({ reason });
  }

  news(): void {
    this.#news.inc();
  }

  /** What is read from the signaling when the metrics are asked for. Called once. */
  watch(signaling: Signaling, meshSwitch: MeshSwitch): void {
    const gauge = (name: string, help: string, value: () => number): void =>
      this.#registry.registerMetric(new Gauge({ name, help, registers: [], collect: gaugeOf(value) }));
    gauge('p2p_peers', 'Peers connected to this server', () => signaling.peers);
    gauge('p2p_sockets', 'Signaling connections, also of those who are in no swarm', () => signaling.connections);
    gauge('p2p_swarms', 'Swarms with a peer on this server', () => signaling.places.swarms);
    gauge('p2p_sites', 'Sites with a peer on this server', () => signaling.places.sites);
    gauge('p2p_mesh_on', '1: there is a mesh; 0: it is switched off for everybody', () => Number(meshSwitch.mesh));
    gauge('p2p_holdout_share', 'Share of the viewers that are held out, 0 to 1', () => meshSwitch.holdout);
    const events = new Counter({
      name: 'p2p_signaling_events_total',
      help: 'What the signaling counts; reason: where there are several',
      labelNames: ['event', 'reason'],
      registers: [],
      collect() {
        this.reset();
        for (const [event, reason, count] of flat(signaling.counters)) this.inc({ event, reason }, count);
      },
    });
    this.#registry.registerMetric(events);
  }
}

/** Its `collect`. */
export const gaugeOf = (value: () => number) =>
  function (this: Gauge): void {
    this.set(value());
  };

/** Counters, also those that are kept by reason. Their names are the server's own, so they are few. */
function* flat(counters: object): Generator<readonly [event: string, reason: string, count: number]> {
  for (const [event, value] of Object.entries(counters) as [string, unknown][]) {
    if (typeof value === 'number') yield [event, '', value];
    else if (typeof value === 'object' && value !== null)
      for (const [reason, count] of Object.entries(value) as [string, unknown][])
        if (typeof count === 'number') yield [event, reason, count];
  }
}
