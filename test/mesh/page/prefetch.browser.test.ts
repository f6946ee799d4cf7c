import { expect } from 'chai';
import { prefetch } from '../../../mesh/page/prefetch.ts';
import type { LoadedAsset, LoadOptions, Prefetched, PrefetchOptions } from '../../../mesh/page/types.ts';
import { P2PError } from '../../../protocol/error.ts';
import type { Digest } from '../../../protocol/ids.ts';
import { MAX_PART_BYTES } from '../../../protocol/limits.ts';

const BASE = `${location.origin}/lesson/`;
const digestOf = (path: string): Digest =>
  Array.from(path.padEnd(32, '.').slice(0, 32), (letter) => letter.charCodeAt(0).toString(16).padStart(2, '0')).join(
    '',
  ) as Digest;
const tag = (path: string, size: number): string => `#EXT-X-P2P-DIGEST:${digestOf(path)},${size}\n`;
const segments = (name: string): string =>
  `#EXTM3U\n#EXT-X-TARGETDURATION:2\n${tag(`${name}0.ts`, 10)}#EXTINF:2,\n${name}0.ts\n#EXTINF:2,\n${name}1.ts\n#EXT-X-ENDLIST\n`;

/** By path below BASE; what is not there is a 404. */
const FILES: Record<string, string> = {
  'map.png': 'picture',
  'index.m3u8': `#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="x",URI="audio.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=500000,AUDIO="a"
low.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=3000000,AUDIO="a"
high.m3u8
`,
  'low.m3u8': segments('low'),
  'high.m3u8': segments('high'),
  'audio.m3u8': segments('audio'),
  'ranges.m3u8': `#EXTM3U
#EXT-X-TARGETDURATION:2
#EXT-X-MAP:URI="all.mp4",BYTERANGE="4@0"
${tag('range', 6)}#EXTINF:2,
#EXT-X-BYTERANGE:6@4
all.mp4
#EXTINF:2,
#EXT-X-BYTERANGE:5@10
all.mp4
#EXT-X-ENDLIST
`,
  'all.mp4': '0123456789abcde',
  'bare.m3u8': `#EXTM3U
#EXT-X-TARGETDURATION:2
#EXTINF:2,
a.bin
#EXTINF:2,
b.bin
#EXTINF:2,
#EXT-X-BYTERANGE:6@4
all.mp4
#EXTINF:2,
c.bin
#EXT-X-ENDLIST
`,
  'a.bin': 'aa',
  'b.bin': 'bbb',
  'c.bin': 'c',
};
for (const name of ['low', 'high', 'audio']) for (const i of [0, 1]) FILES[`${name}${i}.ts`] = '0123456789';

/** The manifest lists all but what its playlist tags or takes ranges of; the film is larger than one part. */
const FILM = 2 * MAX_PART_BYTES + 7;
const isListed = (path: string): boolean => path === 'film.mp4' || (path in FILES && !/0\.ts|mp4|bin$/.test(path));

interface Staged {
  readonly result: Promise<Prefetched>;
  readonly asked: { path: string; options: LoadOptions }[];
  /** How many loads were under way at most. */
  most: number;
}

interface Conditions {
  /** May it be kept? */
  readonly isShared?: (path: string) => boolean;
  /** Is it still here at the end? */
  readonly isKept?: (digest: Digest) => boolean;
  /** Web origin of the mesh's server; null: the viewer has not agreed. */
  readonly server?: string | null;
}

function stage(
  what: readonly string[],
  options: PrefetchOptions = {},
  { isShared = () => true, isKept = () => true, server = location.origin }: Conditions = {},
): Staged {
  let now = 0;
  const load = async (url: string | URL, loadOptions: LoadOptions = {}): Promise<LoadedAsset> => {
    const path = String(url).slice(BASE.length);
    staged.asked.push({ path, options: loadOptions });
    staged.most = Math.max(staged.most, ++now);
    await new Promise((resolve) => setTimeout(resolve));
    now--;
    loadOptions.signal?.throwIfAborted();
    const { name, range } = loadOptions;
    const text = path === 'film.mp4' ? '' : FILES[path];
    if (text === undefined) throw new P2PError('origin-failed', 'status 404', { status: 404 });
    const { start, end } = range ?? { start: 0, end: text.length };
    const body = text === '' ? new ArrayBuffer(name!.size) : new TextEncoder().encode(text.slice(start, end)).buffer;
    return { body, contentType: '', source: 'origin', shared: isShared(path), url: String(url) };
  };
  const staged: Staged = {
    asked: [],
    most: 0,
    result: Promise.resolve().then(() =>
      prefetch(
        what.map((path) => BASE + path),
        options,
        { load, server: async () => server },
        {
          listed: async (urls) =>
            urls
              .map((url) => url.slice(BASE.length).split('#')[0]!)
              .filter(isListed)
              .map((path) => ({
                url: BASE + path,
                type: '',
                size: path === 'film.mp4' ? FILM : FILES[path]!.length,
                parts: path === 'film.mp4' ? ['a', 'b', 'c'].map(digestOf) : [digestOf(path)],
              })),
          kept: async (digests) => digests.map((digest) => (isKept(digest) ? 'store' : 'nobody')),
        },
      ),
    ),
  };
  return staged;
}

const pathsOf = ({ asked }: Staged): string[] => asked.map(({ path }) => path).sort();

describe('prefetch()', () => {
  it('brings files, each once', async () => {
    const staged = stage(['map.png', 'map.png', 'low1.ts']);
    const { assets, bytes, missing } = await staged.result;
    expect([assets, bytes, missing]).to.deep.equal([2, 17, []]);
    expect(pathsOf(staged)).to.deep.equal(['low1.ts', 'map.png']);
  });

  it('brings a large file part by part', async () => {
    const staged = stage(['film.mp4#t=9']);
    const { assets, bytes } = await staged.result;
    expect([assets, bytes]).to.deep.equal([3, FILM]);
    expect(staged.asked.map(({ options: { range, name } }) => [range!.start, range!.end, name!.digest])).to.deep.equal([
      [0, MAX_PART_BYTES, digestOf('a')],
      [MAX_PART_BYTES, 2 * MAX_PART_BYTES, digestOf('b')],
      [2 * MAX_PART_BYTES, FILM, digestOf('c')],
    ]);
  });

  it('brings all that a multivariant playlist lists, alternate audio too, with digests and in its swarm', async () => {
    const staged = stage(['index.m3u8']);
    const { assets } = await staged.result;
    expect(pathsOf(staged)).to.deep.equal([
      'audio.m3u8',
      'audio0.ts',
      'audio1.ts',
      'high.m3u8',
      'high0.ts',
      'high1.ts',
      'index.m3u8',
      'low.m3u8',
      'low0.ts',
      'low1.ts',
    ]);
    expect(assets).to.equal(10);
    expect(staged.most).to.be.at.most(2);
    const optionsOf = (path: string): LoadOptions => staged.asked.find((one) => one.path === path)!.options;
    expect(optionsOf('low0.ts').name).to.deep.equal({ digest: digestOf('low0.ts'), size: 10 });
    expect(optionsOf('low1.ts').name, 'by the manifest').to.deep.equal({ digest: digestOf('low1.ts'), size: 10 });
    for (const path of ['low.m3u8', 'low0.ts', 'audio1.ts'])
      expect(optionsOf(path).swarm).to.equal(`${BASE}index.m3u8`, path);
  });

  it('leaves out renditions above a bit rate, but never the last', async () => {
    const some = stage(['index.m3u8'], { maxBandwidth: 1_000_000, swarm: 'lesson' });
    await some.result;
    expect(pathsOf(some)).to.include('low0.ts').and.not.to.include('high0.ts');
    expect(some.asked.at(-1)!.options.swarm).to.equal('lesson');
    const least = stage(['index.m3u8'], { maxBandwidth: 1 });
    await least.result;
    expect(pathsOf(least)).to.include('low0.ts').and.not.to.include('high.m3u8');
  });

  it('brings byte ranges that have a digest', async () => {
    const staged = stage(['ranges.m3u8']);
    const { missing } = await staged.result;
    expect(staged.asked.slice(1).map(({ options }) => [options.range, options.name?.size])).to.deep.equal([
      [{ start: 4, end: 10 }, 6],
    ]);
    expect(missing).to.deep.equal([`${BASE}all.mp4`]);
  });

  it('does not ask for what has no digest, and tells it with what can not be had or kept', async () => {
    const isShared = (path: string): boolean => path !== 'map.png';
    const staged = stage(['unlisted.png', 'map.png', 'low1.ts'], {}, { isShared });
    const { assets, missing } = await staged.result;
    expect(assets).to.equal(1);
    expect([...missing].sort()).to.deep.equal([`${BASE}map.png`, `${BASE}unlisted.png`]);
    expect(pathsOf(staged)).to.deep.equal(['low1.ts', 'map.png']);
  });

  it('goes on after what the origin does not give', async () => {
    const staged = stage(['nowhere.m3u8', 'map.png']);
    const { assets, missing } = await staged.result;
    expect([assets, missing]).to.deep.equal([1, [`${BASE}nowhere.m3u8`]]);
  });

  it('counts as missing what had to go for what came later', async () => {
    const isKept = (digest: Digest): boolean => digest !== digestOf('map.png');
    const { assets, bytes, missing } = await stage(['map.png', 'low1.ts'], {}, { isKept }).result;
    expect([assets, bytes, missing]).to.deep.equal([1, 10, [`${BASE}map.png`]]);
  });

  it('tells how far it is', async () => {
    const told: number[][] = [];
    await stage(['low.m3u8'], { onProgress: (...numbers) => told.push(numbers) }).result;
    const all = FILES['low.m3u8']!.length + 20;
    expect(told).to.deep.equal([
      [all - 20, all],
      [all, all],
    ]);
  });

  it('ends with the signal, with its reason', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const staged = stage(['low.m3u8', 'high.m3u8'], { signal: controller.signal });
    controller.abort(reason);
    const error = await staged.result.catch((error: unknown) => error);
    expect(error).to.equal(reason);
    expect(staged.asked.length).to.be.at.most(2);
  });

  describe('of a playlist whose origin tells no digests', () => {
    const SERVER = 'https://mesh.example';
    const { fetch } = window;
    let answers: (object | number)[] = [];
    let asked: string[] = [];

    beforeEach(() => {
      asked = [];
      window.fetch = async (url) => {
        asked.push(url as string);
        const answer = answers[Math.min(asked.length, answers.length) - 1]!;
        if (typeof answer === 'number') return new Response('', { status: answer });
        const response = new Response(JSON.stringify({ version: 1, leaves: 'leaves/', complete: false, ...answer }));
        return Object.defineProperty(response, 'url', { value: `${SERVER}/p2p/digests` });
      };
    });
    afterEach(() => {
      window.fetch = fetch;
    });

    const known = (path: string, size: number, start?: number): object => ({
      url: BASE + path,
      digest: digestOf(path),
      size,
      ...(start !== undefined && { start }),
    });

    it('asks the digest service, and again for what it does not know yet', async () => {
      answers = [
        { assets: [known('a.bin', 2)] },
        { assets: [known('a.bin', 2), known('b.bin', 3), known('all.mp4', 6, 4)], complete: true },
      ];
      const staged = stage(['bare.m3u8'], {}, { server: SERVER });
      const { assets, missing } = await staged.result;
      expect(asked).to.deep.equal(
        Array(2).fill(`${SERVER}/p2p/digests?playlist=${encodeURIComponent(`${BASE}bare.m3u8`)}`),
      );
      expect([assets, missing]).to.deep.equal([4, [`${BASE}c.bin`]]);
      expect(
        staged.asked.map(({ path, options: { range, name, swarm } }) => [path, range?.start, name?.size, swarm]),
      ).to.deep.equal([
        ['bare.m3u8', undefined, FILES['bare.m3u8']!.length, undefined],
        ['a.bin', undefined, 2, `${BASE}bare.m3u8`],
        ['b.bin', undefined, 3, `${BASE}bare.m3u8`],
        ['all.mp4', 4, 6, `${BASE}bare.m3u8`],
      ]);
      expect(staged.asked[1]!.options.name!.leavesUrl).to.equal(`${SERVER}/p2p/leaves/${digestOf('a.bin')}`);
    });

    it('asks again where the service is busy', async () => {
      answers = [503, { assets: [known('a.bin', 2)], complete: true }];
      const { assets } = await stage(['bare.m3u8'], {}, { server: SERVER }).result;
      expect([asked.length, assets]).to.deep.equal([2, 2]);
    });

    it('takes it as missing where there is no service, the server is the origin, or the viewer has not agreed', async () => {
      answers = [404];
      for (const [server, questions] of [
        [SERVER, 1],
        [location.origin, 0],
        [null, 0],
      ] as const) {
        asked = [];
        const { assets, missing } = await stage(['bare.m3u8'], {}, { server }).result;
        expect(asked.length).to.equal(questions);
        expect(assets).to.equal(1);
        expect(missing).to.have.members(['a.bin', 'b.bin', 'all.mp4', 'c.bin'].map((path) => BASE + path));
      }
    });

    it('ends with the signal while it waits for the service', async () => {
      answers = [{ assets: [] }];
      const controller = new AbortController();
      const reason = new Error('enough');
      const { result } = stage(['bare.m3u8'], { signal: controller.signal }, { server: SERVER });
      setTimeout(() => controller.abort(reason), 100);
      expect(await result.catch((error: unknown) => error)).to.equal(reason);
    });
  });
});
