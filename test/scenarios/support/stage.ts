/** A media folder of the test's own (the fixture and what the test adds), the real server on it, and a counting proxy that the browsers use. */
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { createServer, type P2PServer } from '../../../server/create-server.ts';
import { countingServer, type CountingServer, type Way } from '../../harness/counting-server.ts';
import { FIXTURE_MEDIA, serve, type TestServer } from '../../harness/serve.ts';

/** The kit, as a page's author writes it. */
export const KIT = '<script type="module" src="/p2p-elements/p2p-elements.js"></script>';

/** Segments of one rendition of the fixture. */
export const SEGMENTS = Array.from({ length: 12 }, (_, i) => `segment-${String(i).padStart(2, '0')}.ts`);

export class Stage<Server = TestServer> {
  readonly server: Server;
  readonly proxy: CountingServer;
  readonly media: string;

  constructor(server: Server, proxy: CountingServer, media: string) {
    this.server = server;
    this.proxy = proxy;
    this.media = media;
  }

  /** Writes a file of the media folder. @returns its URL by the proxy */
  async write(path: string, content: string | Uint8Array): Promise<string> {
    const file = join(this.media, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
    return this.urlOf(path);
  }

  urlOf(path: string): string {
    return `${this.proxy.url}/media/${path}`;
  }

  /** A page of the author's own. @returns its URL */
  page(name: string, body: string): Promise<string> {
    return this.write(`own/${name}.html`, `<!doctype html>\n<title>${name}</title>\n${body}\n`);
  }
}

/**
 * All of it ends with the test.
 * @param sample the media folder that is copied. Default: the fixture
 * @param way what the answers to the browsers cross. Default: as fast as it goes
 */
export async function stage(
  t: TestContext,
  flags: readonly string[] = [],
  sample = FIXTURE_MEDIA,
  way?: Way,
): Promise<Stage> {
  const media = await mediaFolder(t, sample);
  const server = await serve({ media, flags: ['--log-level', 'warn', ...flags] });
  t.after(() => server.kill());
  return new Stage(server, await proxyOf(t, server.url, way), media);
}

/** The same, but each browser that joins is at a site of its own. */
export async function stageOfSites(t: TestContext): Promise<Stage<P2PServer>> {
  const media = await mediaFolder(t, FIXTURE_MEDIA);
  let clients = 0;
  const addressOf = (): string => `203.0.113.${++clients}`; // RFC 5737, for documentation
  const server = createServer({ port: 0, host: '127.0.0.1', media, addressOf });
  t.after(() => server.close());
  await server.listen();
  return new Stage(server, await proxyOf(t, server.urls.local!), media);
}

export async function mediaFolder(t: TestContext, sample: string): Promise<string> {
  const media = await mkdtemp(join(tmpdir(), 'p2p-stage-'));
  t.after(() => rm(media, { recursive: true, force: true, maxRetries: 5 }));
  await cp(sample, media, { recursive: true });
  await writeFile(join(media, 'pinned.m3u8'), PINNED);
  return media;
}

async function proxyOf(t: TestContext, url: string, way?: Way): Promise<CountingServer> {
  const proxy = await countingServer(url, way);
  t.after(() => proxy.dropAll());
  return proxy;
}

/** A stream of one rendition, so that nobody can choose another. */
const PINNED = `#EXTM3U
#EXT-X-STREAM-INF:BANDWIDTH=177473,RESOLUTION=256x144,CODECS="avc1.4d401e,mp4a.40.2"
lesson/v1/index.m3u8
`;
