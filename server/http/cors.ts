import koaCors from '@koa/cors';
import type { Context, Middleware, Next } from 'koa';
import type { AllowedOrigins } from '../allowed-origins.ts';

/**
 * Cross-origin reads of public content, without credentials: there is nothing here that a cookie could open.
 * The exposed headers are what the kit needs to check lengths and to carry `If-Range`.
 */
export function cors(allowed: AllowedOrigins): Middleware {
  const answer = koaCors({
    origin: (context: Context) => {
      const origin = context.get('origin');
      return allowed === '*' ? '*' : allowed.includes(origin) ? origin : '';
    },
    allowMethods: ['GET', 'HEAD'],
    exposeHeaders: ['content-length', 'content-range', 'etag'],
    maxAge: 86_400,
  });
  // What is the same for all origins does not vary by it: otherwise a browser that loaded it as a module loads it again as an asset.
  return allowed === '*'
    ? (context: Context, next: Next): unknown =>
        answer(context, () => {
          context.remove('vary');
          return next();
        })
    : answer;
}
