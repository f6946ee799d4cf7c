/** A file that a page takes by fetch(), and what came of it. */
import { until } from '../../harness/until.ts';
import { inPage, type AnyPage } from './viewer.ts';

export interface Wanted {
  readonly path: string;
  /** The request's Range header. Default: none. */
  readonly range?: string;
  /** Takes nothing of the body until `goOn`. Default: false. */
  readonly isHeld?: boolean;
}

export interface Taking {
  /** 0 until the answer's head is here. */
  readonly status: number;
  /** SHA-256 of the body, in hex, or the error; null: not at its end yet. */
  readonly end: string | null;
  /** From the head to the end, ms. */
  readonly took: number;
}

interface WithTaking {
  readonly taking: Taking & { readonly held: AbortController };
}

/** Stands before the kit in a page that takes files; what its query names as `early` it takes before it has an engine. */
export const TAKES = `<script>
${String(take)}
const early = new URLSearchParams(location.search).get('early');
if (early) take({ path: early });
</script>`;

/** Runs in the page. */
async function take({ path, range, isHeld }: Wanted): Promise<void> {
  const taking = { status: 0, end: '', took: 0, held: new AbortController() };
  Object.assign(window, { taking });
  try {
    const response = await fetch(path, { headers: range === undefined ? {} : { range } });
    const began = performance.now();
    taking.status = response.status;
    if (isHeld) await new Promise((resolve) => taking.held.signal.addEventListener('abort', resolve));
    const body = await response.arrayBuffer();
    taking.took = performance.now() - began;
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', body));
    taking.end = [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  } catch (error) {
    taking.end = String(error);
  }
}

/** Resolves as soon as the page has asked. */
export const begin = (page: AnyPage, wanted: Wanted): Promise<void> =>
  inPage(page, (wanted) => void (window as unknown as { take: typeof take }).take(wanted), wanted);

export const takingOf = (page: AnyPage): Promise<Taking> =>
  inPage(page, () => {
    const { status, end, took } = (window as unknown as WithTaking).taking;
    return { status, end: end || null, took };
  });

export const headOf = (page: AnyPage): Promise<Taking> =>
  until('the head of the answer', async () => {
    const taking = await takingOf(page);
    return (taking.status > 0 || taking.end !== null) && taking;
  });

/** Takes the body of an answer that was held. */
export const goOn = (page: AnyPage): Promise<void> =>
  inPage(page, () => (window as unknown as WithTaking).taking.held.abort());

export const endOf = (page: AnyPage, timeout = 30_000): Promise<Taking> =>
  until(
    'the end of the answer',
    async () => {
      const taking = await takingOf(page);
      return taking.end !== null && taking;
    },
    { timeout },
  );

export async function takeAll(page: AnyPage, wanted: Wanted): Promise<Taking> {
  await begin(page, wanted);
  return endOf(page);
}
