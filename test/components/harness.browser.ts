/** What the element tests share: elements on the page, conditions to wait for, what went to the console. */
import { forgetWarnings } from '../../mesh/page/warn.ts';
import { setMesh } from '../../components/use-mesh.ts';
import { FakeMesh } from './fake-mesh.browser.ts';

/** Polls until `condition` gives something true. */
export async function until<T>(condition: () => T, what = String(condition)): Promise<NonNullable<T>> {
  const end = performance.now() + 15_000;
  for (;;) {
    const value = condition();
    if (value) return value;
    if (performance.now() > end) throw new Error(`Waited 15 s in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export const next = (target: EventTarget, type: string): Promise<Event> =>
  new Promise((resolve) => target.addEventListener(type, resolve, { once: true }));

/** Lets everything run that is ready to: proof that something does not happen needs a moment in which it could. */
export const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50));

export class Page {
  mesh = new FakeMesh();
  readonly warnings: string[] = [];
  readonly debugs: string[] = [];
  readonly #host = document.createElement('div');
  readonly #console = { warn: console.warn, debug: console.debug };

  constructor() {
    document.body.append(this.#host);
    setMesh(this.mesh);
    forgetWarnings();
    console.warn = (...words: unknown[]) => this.warnings.push(words.join(' '));
    console.debug = (...words: unknown[]) => this.debugs.push(words.join(' '));
  }

  /** Puts HTML on the page and gives its first element. */
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- spares each caller a cast
  add<E extends Element>(html: string): E {
    const template = document.createElement('template');
    template.innerHTML = html;
    this.#host.append(document.importNode(template.content, true));
    return this.#host.lastElementChild as E;
  }

  close(): void {
    this.#host.remove();
    setMesh(null);
    Object.assign(console, this.#console);
  }
}
