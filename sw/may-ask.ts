import { ENGINE_ELSEWHERE } from '../protocol/worker.ts';

/** What decides whether a request can be for the engine; all of it is known without waiting. */
export interface RequestFacts {
  readonly method: string;
  readonly url: string;
  readonly mode: string;
  readonly credentials: string;
  readonly destination: string;
  readonly cache: string;
  readonly referrer: string;
  readonly referrerPolicy: string;
  readonly hasAuthorization: boolean;
}

/** Documents and workers decide what else runs; they are the origin's alone. */
const NEVER = new Set([
  'document',
  'iframe',
  'frame',
  'embed',
  'object',
  'worker',
  'sharedworker',
  'serviceworker',
  'report',
]);

/**
 * May the engine be asked for this request, if its URL is listed?
 * @param webOrigin the worker's own @param engineReferrer the referrer of the engine's own requests, which must pass
 */
export function mayAsk(request: RequestFacts, webOrigin: string, engineReferrer: string): boolean {
  return (
    (request.method === 'GET' || request.method === 'HEAD') &&
    (request.url.startsWith(`${webOrigin}/`) ? request.referrer !== engineReferrer : isForAnyone(request)) &&
    request.mode !== 'navigate' &&
    !NEVER.has(request.destination) &&
    (request.cache === 'default' || request.cache === 'no-cache' || request.cache === 'force-cache') &&
    !request.hasAuthorization
  );
}

/** Of another origin: what is read by CORS and without cookies, but for the engine's own requests. */
const isForAnyone = ({ mode, credentials, referrerPolicy }: RequestFacts): boolean =>
  mode === 'cors' &&
  credentials !== 'include' &&
  !(credentials === ENGINE_ELSEWHERE.credentials && referrerPolicy === ENGINE_ELSEWHERE.referrerPolicy);

/** A page, or a worker's script: they decide what else is loaded, so the origin is asked for them whenever it is there. */
export function isDocument(
  { method, url, mode, destination, referrer }: RequestFacts,
  webOrigin: string,
  engineReferrer: string,
): boolean {
  return (
    method === 'GET' &&
    url.startsWith(`${webOrigin}/`) &&
    ((mode === 'navigate' && isPage(url)) || destination === 'worker' || destination === 'sharedworker') &&
    referrer !== engineReferrer
  );
}

/**
 * By its name, for the list may not be read yet. Any other file is shown or downloaded as it is, which may take minutes; Firefox ends a worker through
 * which an answer passes for half a minute, and the answer with it.
 */
function isPage(url: string): boolean {
  const name = new URL(url).pathname.split('/').at(-1) ?? '';
  return !name.includes('.') || /\.x?html?$/i.test(name);
}

/** Style sheets, and scripts in the order of the page, hold up the scripts after them, of which the kit is one: they can't wait for it. */
export const holdsUpScripts = (destination: string): boolean => destination === 'style' || destination === 'script';

export function factsOf(request: Request): RequestFacts {
  const { method, url, mode, credentials, destination, cache, referrer, referrerPolicy, headers } = request;
  return {
    method,
    url,
    mode,
    credentials,
    destination,
    cache,
    referrer,
    referrerPolicy,
    hasAuthorization: headers.has('authorization'),
  };
}
