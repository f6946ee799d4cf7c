import koaCors from '@koa/cors';
import type { Context, Middleware } from 'koa';
import type { AllowedOrigins } from '../allowed-origins.ts';

/**
 * Cross-origin reads of public content, without credentials: there is nothing here that a cookie could open.
 * The exposed headers are what the kit needs to check lengths and to carry `If-Range`.
 */
export const cors = (allowed: AllowedOrigins): Middleware =>
  koaCors({
    origin: (context: Context) => {
      const origin = context.get('origin');
      return allowed === '*' ? '*' : allowed.includes(origin) ? origin : '';
    },
    allowMethods: ['GET', 'HEAD'],
    exposeHeaders: ['content-length', 'content-range', 'etag'],
    maxAge: 86_400,
  });
