import { expect } from 'chai';
import { Mesh } from '../../../mesh/page/mesh.ts';
import { createSha256 } from '../../../mesh/io/sha256.ts';
import type { MeshOptions } from '../../../mesh/page/types.ts';
import { nameOf } from '../../../protocol/digest.ts';
import { P2PError } from '../../../protocol/error.ts';
import type { Digest } from '../../../protocol/ids.ts';
import type { FromPage } from '../../../protocol/page.ts';
import { until } from '../../components/harness.browser.ts';

/** A port where nobody listens. */
const NOWHERE = 'http://127.0.0.1:9';
const MAP = '/test/fixtures/media/map.png';

/** A mesh that finds no server and needs none. */
function meshOf(options: MeshOptions = {}): Mesh {
  const mesh = new Mesh();
  mesh.configure({ signal: NOWHERE, manifest: 'none', worker: 'none', consentRequired: true, ...options });
  return mesh;
}

async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('It did not fail.');
}

/** The next event of a kind that the test looks for. */
const next = <T>(mesh: Mesh, type: string, wanted: (detail: T) => boolean): Promise<T> =>
  new Promise((resolve) => {
    const listen = (event: Event): void => {
      const { detail } = event as CustomEvent<T>;
      if (!wanted(detail)) return;
      mesh.removeEventListener(type, listen);
      resolve(detail);
    };
    mesh.addEventListener(type, listen);
  });

/** What the page tells its engine, a worker, while `during` runs with one mesh. */
async function told(during: (types: () => string[], engine: () => Worker) => Promise<void>): Promise<void> {
  const engines: Worker[] = [];
  const all: { engine: Worker; type: string }[] = [];
  const real = Worker.prototype.postMessage;
  Worker.prototype.postMessage = function (this: Worker, ...words: unknown[]): void {
    const { type } = words[0] as FromPage;
    if (type === 'start') engines.push(this);
    all.push({ engine: this, type });
    Reflect.apply(real, this, words);
  };
  try {
    await during(
      () => all.filter(({ engine }) => engine === engines[0]).map(({ type }) => type),
      () => engines[0]!,
    );
  } finally {
    Worker.prototype.postMessage = real;
  }
}

const pageEvent = (type: string, persisted: boolean): boolean =>
  dispatchEvent(new PageTransitionEvent(type, { persisted }));

describe('Mesh', () => {
  it('has statistics before anything was used', () => {
    const { peers, bytes, offload, banned, signaling } = new Mesh().stats;
    expect({ peers, bytes, offload, banned, signaling }).to.deep.equal({
      peers: 0,
      bytes: { origin: 0, peers: 0, store: 0, uploaded: 0 },
      offload: 0,
      banned: 0,
      signaling: 'off',
    });
  });

  it('gives the bytes of the origin, and says that they are not shared where there is no digest', async () => {
    const asset = await meshOf().load(MAP);
    const plain = await (await fetch(MAP)).arrayBuffer();
    expect(new Uint8Array(asset.body)).to.deep.equal(new Uint8Array(plain));
    expect(asset.source).to.equal('origin');
    expect(asset.shared).to.equal(false);
    expect(asset.contentType).to.equal('image/png');
    expect(asset.url).to.equal(new URL(MAP, location.href).href);
  });

  it('keeps what it gave without a digest, once that is known', async () => {
    const mesh = meshOf();
    const { body, contentType, shareable } = await mesh.load(MAP);
    expect(shareable).to.equal(true);
    const { digest } = await nameOf(new Uint8Array(body), createSha256());
    const url = new URL(MAP, location.href).href;
    mesh.keep(url, { name: { digest, size: body.byteLength }, body, contentType, swarm: 'lesson' });
    let held: readonly string[] = [];
    await until(() => {
      void mesh.held([digest]).then((answer) => (held = answer));
      return held[0] === 'store';
    }, 'it is in the store');
  });

  it('gives a Response, as fetch() does', async () => {
    const response = await meshOf().fetch(MAP);
    expect(response.status).to.equal(200);
    expect(response.headers.get('content-type')).to.equal('image/png');
    expect((await response.blob()).size).to.equal(Number(response.headers.get('content-length')));
  });

  it('gives a range of bytes', async () => {
    const { body } = await meshOf().load(MAP, { range: { start: 1, end: 4 } });
    expect(new TextDecoder().decode(body.slice(0, 3))).to.equal('PNG');
  });

  it("fails with the origin's status", async () => {
    const error = await errorOf(meshOf().load('/nowhere.png'));
    expect(error).to.be.instanceOf(P2PError);
    expect((error as P2PError).code).to.equal('origin-failed');
    expect((error as P2PError).details['status']).to.equal(404);
  });

  it('fails with the reason of the signal that aborts it, also if that was before', async () => {
    const reason = new Error('no longer wanted');
    expect(await errorOf(meshOf().load(MAP, { signal: AbortSignal.abort(reason) }))).to.equal(reason);
    const controller = new AbortController();
    const loading = errorOf(meshOf().load(MAP, { signal: controller.signal }));
    controller.abort(reason);
    expect(await loading).to.equal(reason);
  });

  it('spares the engine a load that was aborted while it started', () =>
    told(async (types) => {
      const mesh = meshOf();
      const controller = new AbortController();
      const loading = errorOf(mesh.load(MAP, { signal: controller.signal }));
      controller.abort();
      expect(((await loading) as Error).name).to.equal('AbortError');
      await mesh.held([]);
      expect(types()).to.deep.equal(['start', 'held']);
    }));

  it('shares again when the page comes back from the back/forward cache', () =>
    told(async (types) => {
      const mesh = meshOf({ consentRequired: false });
      await mesh.load(MAP);
      pageEvent('pagehide', true);
      pageEvent('pageshow', true);
      await mesh.held([]);
      expect(types()).to.deep.equal(['start', 'share', 'load', 'leave', 'share', 'held']);
      await mesh.leave();
      pageEvent('pagehide', true);
      pageEvent('pageshow', true);
      await mesh.held([]);
      expect(types().slice(6)).to.deep.equal(['leave', 'held'], 'left by the author');
    }));

  it('does not share by coming back what the viewer has not agreed to', () =>
    told(async (types) => {
      const mesh = meshOf();
      await mesh.load(MAP);
      pageEvent('pageshow', true);
      expect(types()).to.deep.equal(['start', 'load']);
      mesh.consent();
      await mesh.held([]);
      pageEvent('pagehide', true);
      pageEvent('pageshow', false);
      pageEvent('pageshow', true);
      await mesh.held([]);
      expect(types()).to.deep.equal(['start', 'load', 'share', 'held', 'leave', 'share', 'held']);
      await mesh.leave();
    }));

  it('says a warning once, with its code, and after 100 leaves the console alone', () =>
    told(async (_types, engine) => {
      const real = console.warn;
      const said: string[] = [];
      console.warn = (...words: unknown[]) => said.push(words.join(' '));
      try {
        const mesh = meshOf();
        let errors = 0;
        mesh.addEventListener('error', () => errors++);
        await mesh.load(MAP);
        for (let i = 0; i < 220; i++) {
          const data = { type: 'warning', code: 'bad-manifest', message: `Warning ${i >> 1}.`, details: {} };
          engine().dispatchEvent(new MessageEvent('message', { data }));
        }
        const mine = said.filter((line) => line.includes(': Warning '));
        expect(mine[0]).to.equal('p2p-elements: Warning 0. [bad-manifest]');
        // Those that this page was told before count too.
        expect(mine.length).to.be.within(90, 100);
        expect(new Set(mine).size).to.equal(mine.length);
        expect(errors).to.equal(220);
      } finally {
        console.warn = real;
      }
    }));

  it('marks what it asks the origin for at once, whatever the page’s referrer policy', async () => {
    const real = window.fetch;
    const asked: (RequestInit | undefined)[] = [];
    window.fetch = (input, init) => {
      asked.push(init);
      return real(input, init);
    };
    try {
      await meshOf().load(MAP, { urgent: true });
    } finally {
      window.fetch = real;
    }
    expect(asked[0]).to.include({ referrer: `${location.origin}/p2p-engine`, referrerPolicy: 'same-origin' });
  });

  it('tells how far a load is', async () => {
    const seen: number[] = [];
    const { body } = await meshOf().load(MAP, { onProgress: (loaded) => seen.push(loaded) });
    expect(seen.at(-1)).to.equal(body.byteLength);
    expect([...seen].sort((a, b) => a - b)).to.deep.equal(seen);
  });

  it('counts what came from the origin', async () => {
    const mesh = meshOf();
    const counted = next<{ bytes: { origin: number } }>(mesh, 'stats', ({ bytes }) => bytes.origin > 0);
    const { body } = await mesh.load(MAP);
    expect((await counted).bytes.origin).to.equal(body.byteLength);
    expect(mesh.stats.offload).to.equal(0);
  });

  it('knows of nobody who holds an asset that nobody has', async () => {
    expect(await meshOf().held(['ab'.repeat(32) as Digest])).to.deep.equal(['nobody']);
  });

  it('refuses a name that no swarm can have, and goes on', async () => {
    const mesh = meshOf();
    expect(() => mesh.join('')).to.throw(P2PError);
    expect(await errorOf(mesh.load(MAP, { swarm: 'a\nb' }))).to.be.instanceOf(P2PError);
    expect((await mesh.load(MAP)).source).to.equal('origin');
  });

  it('goes to no server before the viewer has agreed, and says once that it can not be reached after', async () => {
    const mesh = meshOf();
    const errors: Error[] = [];
    mesh.addEventListener('error', ({ detail }) => errors.push(detail));
    await mesh.load(MAP);
    expect(mesh.stats.signaling).to.equal('off');
    expect(errors).to.have.length(0);
    const told = next<P2PError>(mesh, 'error', ({ code }) => code === 'signaling-unreachable');
    mesh.consent();
    expect((await told).message).to.contain(NOWHERE);
    expect((await mesh.load(MAP)).source).to.equal('origin');
    await mesh.leave();
  });

  it('plays on from the origin after it left, also if that was before anything was loaded', async () => {
    const left = meshOf({ consentRequired: false });
    await left.leave();
    expect((await left.load(MAP)).source).to.equal('origin');
    expect(left.stats.signaling).to.equal('off');
  });

  it('tells where its server is while the viewer agrees to share', async () => {
    const mesh = meshOf({});
    expect(await mesh.server()).to.equal(null);
    mesh.consent();
    expect(await mesh.server()).to.equal(new URL(NOWHERE).origin);
    await mesh.leave();
    expect(await mesh.server()).to.equal(null);
  });

  it('takes options that come later, and none if they fail', async () => {
    const mesh = new Mesh();
    mesh.configure(Promise.resolve({ signal: NOWHERE, manifest: 'none', worker: 'none', consentRequired: true }));
    expect((await mesh.load(MAP)).source).to.equal('origin');
  });
});
