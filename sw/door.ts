/** Decides about each request of the pages: what the manifest lists comes from the store, the page's engine or the network; everything else goes its way untouched. */
import type { ByteRange, ShareableFile } from '../protocol/page.ts';
import { withoutFragment } from '../protocol/without-fragment.ts';
import { planAnswer } from './answer-plan.ts';
import { AssetBody } from './asset-body.ts';
import type { Documents } from './documents.ts';
import type { EnginePort } from './engine-port.ts';
import type { EnginePorts } from './engine-ports.ts';
import { factsOf, holdsUpScripts, isDocument, mayAsk } from './may-ask.ts';
import { isLong, type Passing } from './passing.ts';
import type { ShareableList } from './shareable-list.ts';
import { answerUnlisted, isUnverifiedUse } from './unlisted.ts';

export interface DoorPorts {
  readonly webOrigin: string;
  /** By it the engine's own requests are known. */
  readonly engineReferrer: string;
  readonly list: ShareableList;
  readonly ports: Pick<EnginePorts, 'find' | 'findUnverified'>;
  readonly documents: Documents;
  /** Bytes that are on this device, or all of the file as an answer with its headers; null: they are not. */
  readonly stored: (file: ShareableFile, range: ByteRange) => Promise<Response | Blob | null>;
  readonly fetch: (request: Request) => Promise<Response>;
  /** Keeps the worker awake while an answer of the network passes. */
  readonly passing: Pick<Passing, 'through'>;
}

export class Door {
  readonly #ports: DoorPorts;
  /** Pages as listed that were asked for so as to keep them; what was refused once is not asked for again. */
  readonly #asked = new Set<string>();

  constructor(ports: DoorPorts) {
    this.#ports = ports;
  }

  /** Null, at once: the browser is to do what it would have done. */
  answer(request: Request, clientId: string): Promise<Response> | null {
    const { webOrigin, engineReferrer, list } = this.#ports;
    // Most requests end here, so nothing else of them is looked at before.
    if (list.has(listedUrl(request)) === false && !this.#mayShareUnlisted(request)) return null;
    const facts = factsOf(request);
    if (isDocument(facts, webOrigin, engineReferrer)) return this.#document(request);
    return clientId !== '' && mayAsk(facts, webOrigin, engineReferrer) ? this.#asset(request, clientId) : null;
  }

  /** A page that is open: at its first visit nobody saw it come. */
  async keepPage(url: string): Promise<void> {
    const { list, documents, webOrigin } = this.#ports;
    await list.loaded;
    const file = list.find(documentUrl(url));
    if (file?.url.startsWith(`${webOrigin}/`) !== true || (await documents.has(file))) return;
    const asked = `${file.url} ${file.parts.join()}`;
    if (this.#asked.has(asked)) return;
    this.#asked.add(asked);
    const response = await this.#ports.fetch(new Request(file.url, { cache: 'no-cache' })).catch(() => null);
    if (response) await documents.keep(file, response);
    else this.#asked.delete(asked);
  }

  /** Network first: a page decides what else is loaded. */
  async #document(request: Request): Promise<Response> {
    const { list, documents } = this.#ports;
    const url = listedUrl(request);
    await list.loaded;
    const file = list.find(url);
    if (!file) return this.#ports.fetch(request);
    try {
      const response = await this.#ports.fetch(request);
      void documents.keep(file, response.clone());
      return response;
    } catch (error) {
      // A page without its own headers would run without its policies.
      const kept =
        (await documents.find(url)) ?? (request.mode === 'navigate' ? null : await this.#stored(request, file));
      if (kept) return kept;
      throw error;
    }
  }

  async #asset(request: Request, clientId: string): Promise<Response> {
    const began = performance.now();
    const { list } = this.#ports;
    const url = listedUrl(request);
    await list.loaded;
    const listed = list.find(url);
    if (!listed) return this.#unlisted(request, clientId, began);
    const findPort = (): Promise<EnginePort | null> =>
      this.#ports.ports.find(clientId, !holdsUpScripts(request.destination));
    // What this page's own manifest says: the list may be of an earlier visit.
    let port = await findPort();
    let file = await port?.file(url);
    while (port?.isClosed === true) {
      port = await findPort();
      file = await port?.file(url);
    }
    const kept = await this.#stored(request, file);
    if (kept?.body && file) port?.served(file, Number(kept.headers.get('content-length')));
    const answer = kept ?? (file ? await this.#fromEngine(request, file, findPort, began) : null);
    if (answer) return answer;
    // Where the manifest can't be had either, that of an earlier visit counts.
    const atLast = async (): Promise<Response | null> =>
      (await this.#stored(request, file ?? listed)) ??
      (port && !file ? await this.#fromEngine(request, listed, findPort, began) : null);
    try {
      const response = await this.#ports.fetch(request);
      return (response.status >= 500 && !file && (await atLast())) || (await this.#pass(request, clientId, response));
    } catch (error) {
      const found = await atLast();
      if (found) return found;
      throw error;
    }
  }

  /** False as long as the list is not read: then `list.has` says neither yes nor no. */
  #mayShareUnlisted(request: Request): boolean {
    const { list, webOrigin } = this.#ports;
    return (
      list.sharesUnverified() &&
      isUnverifiedUse(request.destination) &&
      request.cache !== 'no-cache' &&
      request.url.startsWith(`${webOrigin}/`)
    );
  }

  async #unlisted(request: Request, clientId: string, began: number): Promise<Response> {
    const { ports, fetch } = this.#ports;
    const port = this.#mayShareUnlisted(request) ? await ports.findUnverified(clientId) : null;
    const answer = port && (await answerUnlisted(request, listedUrl(request), port, fetch, began));
    return answer ?? this.#pass(request, clientId, await fetch(request));
  }

  /** Seen to its end for a page that has the kit, for of a stream whose worker is ended Firefox would call a part whole. Scripts and style sheets are short, and the browser keeps their compiled code only with its own answer. */
  async #pass({ destination }: Request, clientId: string, response: Response): Promise<Response> {
    const { passing, ports } = this.#ports;
    if (holdsUpScripts(destination) || !isLong(response)) return response;
    return (await ports.find(clientId, true)) ? passing.through(response, clientId) : response;
  }

  async #fromEngine(
    request: Request,
    file: ShareableFile,
    findPort: () => Promise<EnginePort | null>,
    began: number,
  ): Promise<Response | null> {
    const { status, headers, body: range } = planOf(request, file);
    if (!range) return null;
    const body = new AssetBody(file, range, findPort);
    const isComing = await body.begin(performance.now() - began, request.signal);
    return isComing ? new Response(body.stream, { status, headers }) : null;
  }

  /** Null: not all that is asked for is on this device. */
  async #stored(request: Request, file: ShareableFile | undefined): Promise<Response | null> {
    if (!file) return null;
    const { status, headers, body: range } = planOf(request, file);
    if (!range) return new Response(null, { status, headers });
    const found = await this.#ports.stored(file, range);
    if (!found || (found instanceof Response && status === 200)) return found;
    // A Blob the browser reads by itself; a stream ends with the worker.
    return new Response(found instanceof Blob ? found : await found.blob(), { status, headers });
  }
}

const planOf = ({ method, headers }: Request, file: ShareableFile): ReturnType<typeof planAnswer> =>
  planAnswer({ method, header: (name) => headers.get(name) }, file);

const listedUrl = ({ url, mode }: Request): string => (mode === 'navigate' ? documentUrl(url) : withoutFragment(url));

/** Pages are the same whatever their query says, as far as a manifest of files goes. */
function documentUrl(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}
