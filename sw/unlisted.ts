/** Images, films and sound that no manifest lists, on a page that says `verify="none"`: from the page's engine where somebody has them; else from the origin, and to the engine for others. */
import { isForAll } from '../protocol/by-url.ts';
import { MAX_BY_URL_BYTES } from '../protocol/limits.ts';
import type { BroughtAnswer, UnverifiedUse } from '../protocol/page.ts';
import { planAnswer } from './answer-plan.ts';
import type { EnginePort } from './engine-port.ts';

const USES: readonly string[] = ['image', 'audio', 'video', 'track'] satisfies UnverifiedUse[];

export const isUnverifiedUse = (destination: string): destination is UnverifiedUse => USES.includes(destination);

/** Null: the network, as without the kit. @param began when the worker got the request, ms */
export async function answerUnlisted(
  request: Request,
  url: string,
  port: EnginePort,
  fetch: (request: Request) => Promise<Response>,
  began: number,
): Promise<Response | null> {
  const { destination, signal, headers, method } = request;
  if (!isUnverifiedUse(destination) || method !== 'GET') return null;
  const answer = await port.load({ url, use: destination }, performance.now() - began, signal);
  if (answer?.type === 'loaded') {
    const { body, contentType, digest } = answer;
    const file = { url, size: body.byteLength, type: contentType, parts: digest ? [digest] : [] };
    // All of a part at once, for it is here; the browser then needs the worker no more.
    const plan = planAnswer({ method, header: (name) => headers.get(name) }, file, MAX_BY_URL_BYTES);
    const bytes = plan.body && body.slice(plan.body.start, plan.body.end);
    return new Response(bytes, { status: plan.status, headers: plan.headers });
  }
  if (answer?.type !== 'pass' || answer.brings !== true) return null;
  const range = headers.get('range');
  const response =
    range === null || range === 'bytes=0-' ? await fetch(withoutCookies(request)).catch(() => null) : null;
  if (response && isForAll(new URL(url).pathname, response) && isWhole(response)) {
    void copyOf(response.clone()).then(
      (copy) => port.brought(url, copy),
      () => port.brought(url, null),
    );
    return response;
  }
  void response?.body?.cancel().catch(() => undefined);
  port.brought(url, response && 'private');
  return null;
}

/** As anybody gets it. The browser takes `Range` out of a request that is changed and was not made by a script. */
function withoutCookies(request: Request): Request {
  const { headers, referrer, referrerPolicy } = request;
  const init: RequestInit = { credentials: 'omit', referrer, referrerPolicy };
  const range = headers.get('range');
  if (range === null) return new Request(request, init);
  const { url, cache, signal } = request;
  return new Request(url, { ...init, headers: { accept: headers.get('accept') ?? '*/*', range }, cache, signal });
}

/** Is all of it in this answer? */
function isWhole({ status, headers }: Response): boolean {
  if (status === 200) return true;
  const [, last, size] = /^bytes 0-(\d+)\/(\d+)$/.exec(headers.get('content-range') ?? '') ?? [];
  return last !== undefined && Number(last) + 1 === Number(size);
}

/** `private`: it is longer than what is shared so. */
async function copyOf({ headers, body }: Response): Promise<BroughtAnswer | 'private' | null> {
  const reader = body?.getReader();
  if (!reader) return null;
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let left = MAX_BY_URL_BYTES;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    chunks.push(next.value);
    left -= next.value.length;
    if (left >= 0) continue;
    void reader.cancel().catch(() => undefined);
    return 'private';
  }
  return {
    body: await new Blob(chunks).arrayBuffer(),
    contentType: headers.get('content-type') ?? '',
    headers: Object.fromEntries(headers),
  };
}
