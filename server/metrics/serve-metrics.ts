import { createServer, type Server } from 'node:http';
import type { Context, Middleware, Next } from 'koa';
import type { Metrics } from './metrics.ts';
import type { maySeeMetrics } from './may-see-metrics.ts';

const PATH = '/metrics';

/** `/metrics` on the public port. Before CORS, which would let any page that is open on this machine read it; to all others the path does not exist. */
export const metricsRoute =
  (metrics: Metrics, maySee: ReturnType<typeof maySeeMetrics>): Middleware =>
  async (context: Context, next: Next): Promise<void> => {
    const isAsked = context.path === PATH && (context.method === 'GET' || context.method === 'HEAD');
    if (!isAsked || !maySee(context.req)) {
      await next();
      return;
    }
    context.set('cache-control', 'no-store');
    context.set('content-type', metrics.type); // as it is: Koa would drop its version
    context.body = await metrics.text();
  };

/** A server that has `/metrics` and nothing else, for a port that the public does not reach. Not listening yet. */
export function metricsServer(metrics: Metrics): Server {
  return createServer((request, response) => {
    if (request.url?.split('?')[0] !== PATH || (request.method !== 'GET' && request.method !== 'HEAD')) {
      response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end(`There is only ${PATH} here.`);
      return;
    }
    metrics.text().then(
      (text) => {
        response.writeHead(200, { 'content-type': metrics.type, 'cache-control': 'no-store' });
        response.end(request.method === 'HEAD' ? '' : text);
      },
      () => response.writeHead(500).end(),
    );
  });
}
