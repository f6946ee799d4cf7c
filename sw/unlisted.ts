/** Images, films and sound that no manifest lists, on a page that says `verify="none"`: from the page's engine where somebody has them; else from the origin, and to the engine for others. */
import type { BroughtAnswer, UnverifiedUse } from '../protocol/page.ts';
import { toHex } from '../protocol/hex.ts';
import { isShareable } from '../protocol/is-shareable.ts';
import { MAX_BY_URL_BYTES } from '../protocol/limits.ts';
import type { Digest } from '../protocol/ids.ts';
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
  const range = headers.get('range');
  const answer = await port.load({ url, use: destination }, performance.now() - began, signal);
  if (answer?.type === 'loaded') {
    const { body, contentType } = answer;
    const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', body));
    const file = { url, size: body.byteLength, type: contentType, parts: [toHex(hash) as Digest] };
    const plan = planAnswer({ method, header: (name) => headers.get(name) }, file);
    const bytes = plan.body && body.slice(plan.body.start, plan.body.end);
    return new Response(bytes, { status: plan.status, headers: plan.headers });
  }
  if (answer?.type !== 'pass' || answer.brings !== true) return null;
  // Only who is asked for all of it can bring it.
  if (range !== null && !/^bytes=0-$/.test(range)) {
    port.brought(url, null);
    return null;
  }
  return bring(url, range, signal, port, fetch);
}

/** As anybody gets it who sends no cookies. Null: that is not for others, so the page is to be given its own. */
async function bring(
  url: string,
  range: string | null,
  signal: AbortSignal,
  port: EnginePort,
  fetch: (request: Request) => Promise<Response>,
): Promise<Response | null> {
  const init: RequestInit = { credentials: 'omit', signal, ...(range !== null && { headers: { range } }) };
  const response = await fetch(new Request(url, init)).catch(() => null);
  if (!response || !isShareable(response) || !isWhole(response)) {
    port.brought(url, null);
    void response?.body?.cancel();
    return null;
  }
  void copyOf(response).then(
    (answer) => port.brought(url, answer),
    () => port.brought(url, null),
  );
  return response;
}

async function copyOf(response: Response): Promise<BroughtAnswer | null> {
  const headers = Object.fromEntries(response.headers);
  // Of what does not tell its length nobody knows how much memory it takes.
  if (!(Number(headers['content-length']) <= MAX_BY_URL_BYTES)) return null;
  return { body: await response.clone().arrayBuffer(), contentType: headers['content-type'] ?? '', headers };
}

/** Is all of it in this answer? */
function isWhole({ status, headers }: Response): boolean {
  if (status === 200) return true;
  const [, last, size] = /^bytes 0-(\d+)\/(\d+)$/.exec(headers.get('content-range') ?? '') ?? [];
  return last !== undefined && Number(last) + 1 === Number(size);
}
