/** As much of a browser as tabs need to find each other: Web Locks, BroadcastChannel, and a service worker that passes ports on. All is delivered soon, so that time can be mocked. */
import type { TestContext } from 'node:test';
import type { ToServiceWorker } from '../../../protocol/worker.ts';

interface Request {
  readonly callback: (lock: object | null) => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

type Options = Pick<LockOptions, 'ifAvailable' | 'steal' | 'signal'>;

/** https://w3c.github.io/web-locks/, exclusive locks only. */
export class FakeLocks {
  /** The browser keeps nothing of this site. */
  isDenied = false;
  readonly #held = new Map<string, Request>();
  readonly #queues = new Map<string, Request[]>();

  request(name: string, options: Options, callback: Request['callback']): Promise<unknown> {
    if (this.isDenied) return Promise.reject(new DOMException('denied', 'SecurityError'));
    return new Promise((resolve, reject) => {
      const request: Request = { callback, resolve, reject };
      const holder = this.#held.get(name);
      if (options.steal === true) {
        holder?.reject(new DOMException('stolen', 'AbortError'));
        return this.#grant(name, request);
      }
      if (!holder) return this.#grant(name, request);
      if (options.ifAvailable === true) return resolve(callback(null));
      const queue = this.#queues.get(name) ?? [];
      this.#queues.set(name, [...queue, request]);
      options.signal?.addEventListener('abort', () => {
        this.#queues.set(name, this.#queues.get(name)?.filter((other) => other !== request) ?? []);
        reject(options.signal?.reason as Error);
      });
    });
  }

  #grant(name: string, request: Request): void {
    this.#held.set(name, request);
    void Promise.resolve()
      .then(() => request.callback({}))
      .then((value) => {
        request.resolve(value);
        if (this.#held.get(name) !== request) return;
        this.#held.delete(name);
        const [next, ...rest] = this.#queues.get(name) ?? [];
        this.#queues.set(name, rest);
        if (next) this.#grant(name, next);
      });
  }
}

/** The service worker and its container, of which all tabs of the test have the same. */
export class FakeContainer extends EventTarget {
  controller: { postMessage(message: ToServiceWorker, ports: MessagePort[]): void } | null;
  #clients = 0;

  constructor() {
    super();
    this.controller = {
      postMessage: (message, ports) => {
        if (message.type === 'p2p-who') {
          const answer = ports[0] as unknown as FakePort;
          answer.other.onmessage?.({ data: `client ${++this.#clients}` });
        }
        if (message.type !== 'p2p-pass') return;
        const { lock, epoch } = message;
        this.dispatchEvent(Object.assign(new Event('message'), { data: { type: 'p2p-engine', lock, epoch }, ports }));
      },
    };
  }

  startMessages(): void {
    // Events are dispatched at once.
  }

  getRegistration(): Promise<undefined> {
    return Promise.resolve(undefined);
  }
}

const channels = new Set<FakeBroadcastChannel>();

class FakePort {
  onmessage: ((event: { data: unknown }) => void) | null = null;
  other: FakePort = this;
  isClosed = false;

  close(): void {
    this.isClosed = true;
  }
}

class FakeMessageChannel {
  readonly port1 = new FakePort();
  readonly port2 = new FakePort();

  constructor() {
    this.port1.other = this.port2;
    this.port2.other = this.port1;
  }
}

class FakeBroadcastChannel {
  onmessage: ((event: { data: unknown }) => void) | null = null;
  readonly name: string;

  constructor(name: string) {
    this.name = name;
    channels.add(this);
  }

  postMessage(data: unknown): void {
    if (!channels.has(this)) throw new DOMException('closed', 'InvalidStateError');
    for (const other of channels)
      if (other !== this && other.name === this.name) queueMicrotask(() => other.onmessage?.({ data }));
  }

  close(): void {
    channels.delete(this);
  }
}

/** Puts them in the place of the browser's own until the test ends. */
export function fakeBrowser(t: TestContext): { locks: FakeLocks; container: FakeContainer } {
  const browser = { locks: new FakeLocks(), container: new FakeContainer() };
  const { locks, container: serviceWorker } = browser;
  for (const [name, value] of Object.entries({
    navigator: { locks, serviceWorker },
    BroadcastChannel: FakeBroadcastChannel,
    MessageChannel: FakeMessageChannel,
  }))
    replace(t, name, value);
  return browser;
}

function replace(t: TestContext, name: string, value: unknown): void {
  const own = Object.getOwnPropertyDescriptor(globalThis, name);
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  t.after(() => {
    if (own) Object.defineProperty(globalThis, name, own);
    else Reflect.deleteProperty(globalThis, name);
  });
}
