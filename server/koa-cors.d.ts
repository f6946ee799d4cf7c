/** @koa/cors has no types of its own; this is the part we use. */
declare module '@koa/cors' {
  import type { Context, Middleware } from 'koa';

  interface Options {
    /** Gives the `access-control-allow-origin` of a response; '' for none. */
    readonly origin: (context: Context) => string;
    readonly allowMethods: readonly string[];
    readonly exposeHeaders: readonly string[];
    /** Seconds for which a preflight holds. */
    readonly maxAge: number;
  }

  export default function cors(options: Options): Middleware;
}
