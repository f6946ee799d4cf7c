import type { ServerResponse } from 'node:http';
import { Counter, Gauge, type Registry } from 'prom-client';
import { whenSent } from '../http/access-log.ts';
import { BROKEN_REASONS, type BrokenReason } from '../http/broken-requests.ts';

const CLASSES = ['1xx', '2xx', '3xx', '4xx', '5xx', 'aborted'] as const;

/** HTTP responses by class of their status (RFC 9110, 15), those that were cut short aside. Signaling's own are not among them. */
export class HttpMetrics {
  readonly #responses: Counter<'class'>;
  readonly #bytes: Counter;
  readonly #underWay: Gauge;
  readonly #broken: Counter<'reason'>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#responses = new Counter({
      name: 'p2p_http_responses_total',
      help: 'HTTP responses by class of status; aborted: the client went before the end',
      labelNames: ['class'],
      registers,
    });
    this.#bytes = new Counter({ name: 'p2p_http_sent_bytes_total', help: 'Bytes of HTTP responses', registers });
    this.#underWay = new Gauge({ name: 'p2p_http_under_way', help: 'HTTP responses under way', registers });
    this.#broken = new Counter({
      name: 'p2p_http_broken_total',
      help: 'Connections that were ended because no request could be read on them',
      labelNames: ['reason'],
      registers,
    });
    for (const reason of BROKEN_REASONS) this.#broken.inc({ reason }, 0);
    for (const name of CLASSES) this.#responses.inc({ class: name }, 0);
  }

  broken(reason: BrokenReason): void {
    this.#broken.inc({ reason });
  }

  /** Koa's, without its types: they are not for who uses the package. */
  readonly middleware = async (
    { res }: { readonly res: ServerResponse },
    next: () => Promise<unknown>,
  ): Promise<void> => {
    this.#underWay.inc();
    whenSent(res, ({ bytes, aborted }) => {
      this.#underWay.dec();
      this.#bytes.inc(bytes);
      this.#responses.inc({ class: aborted ? 'aborted' : classOf(res.statusCode) });
    });
    await next();
  };
}

const classOf = (status: number): (typeof CLASSES)[number] => CLASSES[Math.floor(status / 100) - 1] ?? '5xx';
