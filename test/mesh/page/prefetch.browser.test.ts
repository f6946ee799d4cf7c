import { expect } from 'chai';
import { prefetch } from '../../../mesh/page/prefetch.ts';
import type { LoadedAsset, LoadOptions, Prefetched, PrefetchOptions } from '../../../mesh/page/types.ts';
import { P2PError } from '../../../protocol/error.ts';

const BASE = `${location.origin}/lesson/`;
const DIGEST = 'ab'.repeat(32);
const tag = (size: number): string => `#EXT-X-P2P-DIGEST:${DIGEST},${size}\n`;
const segments = (name: string): string =>
  `#EXTM3U\n#EXT-X-TARGETDURATION:2\n${tag(10)}#EXTINF:2,\n${name}0.ts\n#EXTINF:2,\n${name}1.ts\n#EXT-X-ENDLIST\n`;

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
${tag(6)}#EXTINF:2,
#EXT-X-BYTERANGE:6@4
all.mp4
#EXTINF:2,
#EXT-X-BYTERANGE:5@10
all.mp4
#EXT-X-ENDLIST
`,
  'all.mp4': '0123456789abcde',
};
for (const name of ['low', 'high', 'audio']) for (const i of [0, 1]) FILES[`${name}${i}.ts`] = '0123456789';

interface Staged {
  readonly result: Promise<Prefetched>;
  readonly asked: { path: string; options: LoadOptions }[];
  /** How many loads were under way at most. */
  most: number;
  settled: number;
}

function stage(
  what: readonly string[],
  options: PrefetchOptions = {},
  isShared: (path: string) => boolean = () => true,
): Staged {
  let now = 0;
  const load = async (url: string | URL, loadOptions: LoadOptions = {}): Promise<LoadedAsset> => {
    const path = String(url).slice(BASE.length);
    staged.asked.push({ path, options: loadOptions });
    staged.most = Math.max(staged.most, ++now);
    await new Promise((resolve) => setTimeout(resolve));
    now--;
    loadOptions.signal?.throwIfAborted();
    const text = FILES[path];
    if (text === undefined) throw new P2PError('origin-failed', 'status 404', { status: 404 });
    const { start, end } = loadOptions.range ?? { start: 0, end: text.length };
    const body = new TextEncoder().encode(text.slice(start, end)).buffer;
    return { body, contentType: '', source: 'origin', shared: isShared(path), url: String(url) };
  };
  const staged: Staged = {
    asked: [],
    most: 0,
    settled: 0,
    result: Promise.resolve().then(() =>
      prefetch(
        what.map((path) => BASE + path),
        options,
        { load },
        async () => {
          staged.settled++;
        },
      ),
    ),
  };
  return staged;
}

const pathsOf = ({ asked }: Staged): string[] => asked.map(({ path }) => path).sort();

describe('prefetch()', () => {
  it('brings files, each once, and waits until they are kept', async () => {
    const staged = stage(['map.png', 'map.png', 'low0.ts']);
    const { assets, bytes, missing } = await staged.result;
    expect([assets, bytes, missing]).to.deep.equal([2, 17, []]);
    expect(staged.settled).to.equal(1);
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
    expect(optionsOf('low0.ts').name).to.deep.equal({ digest: DIGEST, size: 10 });
    expect(optionsOf('low1.ts').name).to.equal(undefined);
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

  it('brings byte ranges, and what begins the stream', async () => {
    const staged = stage(['ranges.m3u8']);
    await staged.result;
    expect(staged.asked.slice(1).map(({ options }) => [options.range, options.name?.size])).to.deep.equal([
      [{ start: 0, end: 4 }, undefined],
      [{ start: 4, end: 10 }, 6],
      [{ start: 10, end: 15 }, undefined],
    ]);
  });

  it('tells what can not be had or kept, and goes on', async () => {
    const staged = stage(['nowhere.png', 'map.png', 'low0.ts'], {}, (path) => path !== 'map.png');
    const { assets, missing } = await staged.result;
    expect(assets).to.equal(1);
    expect([...missing].sort()).to.deep.equal([`${BASE}map.png`, `${BASE}nowhere.png`]);
  });

  it('tells how far it is', async () => {
    const told: number[][] = [];
    await stage(['low.m3u8'], { onProgress: (...numbers) => told.push(numbers) }).result;
    const all = FILES['low.m3u8']!.length + 20;
    expect(told.at(-1)).to.deep.equal([all, all]);
    expect(told[0]).to.deep.equal([all - 20, all - 10], 'one of two segments tells its size');
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
});
