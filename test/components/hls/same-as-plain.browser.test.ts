import { expect } from 'chai';
import Hls, {
  XhrLoader,
  type HlsConfig,
  type LoaderCallbacks,
  type LoaderConfiguration,
  type LoaderContext,
} from 'hls.js/light';
import '../../../components/define/p2p-video.ts';
import type { P2PVideo } from '../../../components/p2p-video.ts';
import { Page, until } from '../harness.browser.ts';

const LESSON = '/test/fixtures/media/lesson/index.m3u8';
const SEGMENTS = 12;

describe('p2p-video for a lone viewer', () => {
  let page: Page;
  beforeEach(() => (page = new Page()));
  afterEach(() => page.close());

  /** The segments that plain hls.js asks for, with its own loader. */
  async function plainRequests(rendition: number): Promise<string[]> {
    const asked: string[] = [];
    class RecordingLoader extends XhrLoader {
      override load(
        context: LoaderContext,
        config: LoaderConfiguration,
        callbacks: LoaderCallbacks<LoaderContext>,
      ): void {
        if (context.url.endsWith('.ts'))
          asked.push(context.rangeEnd ? `${context.url} ${context.rangeStart ?? ''}-${context.rangeEnd}` : context.url);
        // The test runner's server would compile a segment named .ts.
        super.load({ ...context, url: context.url.replace(/\.ts$/, '.t%73') }, config, {
          ...callbacks,
          onSuccess: (response, stats, _, details) => callbacks.onSuccess(response, stats, context, details),
        });
      }
    }
    const media = page.add<HTMLVideoElement>('<video muted></video>');
    const hls = new Hls({ loader: RecordingLoader as unknown as HlsConfig['loader'] });
    hls.on(Hls.Events.MANIFEST_PARSED, () => (hls.loadLevel = rendition));
    hls.loadSource(LESSON);
    hls.attachMedia(media);
    await until(() => asked.length === SEGMENTS && media.readyState > 2, 'all segments, plainly');
    hls.destroy();
    return asked;
  }

  for (const rendition of [0, 2]) {
    it(`asks for the same segments in the same order as plain hls.js, rendition ${rendition} pinned`, async () => {
      const plain = await plainRequests(rendition);
      const video = page.add<P2PVideo>(`<p2p-video src="${LESSON}" preload="none" muted></p2p-video>`);
      const api = await until(() => (video.api?.levels.length === 3 ? video.api : null), 'the renditions are known');
      api.loadLevel = rendition;
      await video.play();
      await until(() => page.mesh.paths('.ts').length === SEGMENTS && video.readyState > 2, 'all segments');
      const ours = page.mesh.asked.filter(({ url }) => url.endsWith('.ts'));
      expect(
        ours.map(({ url, options: { range } }) => (range ? `${url} ${range.start}-${range.end}` : url)),
      ).to.deep.equal(plain);
    });
  }

  it('asks for each playlist once', async () => {
    const video = page.add<P2PVideo>(`<p2p-video src="${LESSON}" muted></p2p-video>`);
    await until(() => video.buffered.length > 0 && page.mesh.paths('.m3u8').length >= 4);
    const api = await until(() => video.api);
    for (const rendition of [0, 1, 2]) {
      api.loadLevel = rendition;
      await until(() => api.levels[rendition]?.details);
    }
    const playlists = page.mesh.paths('.m3u8');
    expect(playlists).to.have.length(4);
    expect(new Set(playlists).size).to.equal(4);
  });

  it('names each segment by its tag and says when it is needed', async () => {
    page.mesh.tagged = true;
    const video = page.add<P2PVideo>(`<p2p-video src="${LESSON}" muted></p2p-video>`);
    await until(() => page.mesh.paths('.ts').length > 3);
    const asked = page.mesh.asked.filter(({ url }) => url.endsWith('.ts'));
    expect(asked.every(({ options }) => options.name?.size === 1000)).to.equal(true);
    const deadlines = asked.map(({ options }) => options.deadline ?? NaN);
    expect(deadlines[0]).to.equal(0);
    expect(deadlines[3]).to.be.within(5000, 6100);
    expect(video.currentTime).to.equal(0);
  });

  it('plays a stream whose tags are malformed from the origin, with one warning', async () => {
    const bad = ['#EXTM3U', '#EXT-X-TARGETDURATION:2', '#EXT-X-PLAYLIST-TYPE:VOD'];
    for (const index of [0, 1, 2])
      bad.push(
        `#EXT-X-P2P-DIGEST:nonsense${index},12`,
        '#EXTINF:2,',
        `/test/fixtures/media/lesson/v0/segment-0${index}.ts`,
      );
    page.mesh.files.set('/bad.m3u8', {
      body: [...bad, '#EXT-X-ENDLIST', ''].join('\n'),
      type: 'application/vnd.apple.mpegurl',
    });
    const video = page.add<P2PVideo>('<p2p-video src="/bad.m3u8" autoplay muted></p2p-video>');
    await until(() => video.currentTime > 0 && page.mesh.paths('.ts').length === 3);
    expect(page.mesh.asked.every(({ options }) => options.name === undefined)).to.equal(true);
    expect(page.warnings.filter((warning) => warning.includes('Expected #EXT-X-P2P-DIGEST'))).to.have.length(1);
  });

  it('reads a live playlist again and again, and only what it plays', async () => {
    const live = (first: number): string =>
      [
        '#EXTM3U',
        '#EXT-X-TARGETDURATION:1',
        `#EXT-X-MEDIA-SEQUENCE:${first}`,
        ...[0, 1, 2].flatMap((i) => ['#EXTINF:2,', `/test/fixtures/media/lesson/v0/segment-0${first + i}.ts`]),
        '',
      ].join('\n');
    const put = (first: number): unknown =>
      page.mesh.files.set('/live.m3u8', { body: live(first), type: 'application/vnd.apple.mpegurl' });
    put(0);
    const video = page.add<P2PVideo>('<p2p-video src="/live.m3u8" autoplay muted></p2p-video>');
    await until(() => page.mesh.paths('.ts').length > 0);
    put(1);
    await until(() => page.mesh.paths('segment-03.ts').length === 1, 'the segment that came later');
    expect(page.mesh.paths('live.m3u8').length).to.be.greaterThan(1);
    expect(video.api?.config.backBufferLength).to.equal(60, 'seconds kept behind the playhead, however long it plays');
  });

  it('keeps all of a VOD in the buffer, as plain hls.js', async () => {
    const video = page.add<P2PVideo>(`<p2p-video src="${LESSON}" muted></p2p-video>`);
    await until(() => video.buffered.length > 0);
    expect(video.api?.config.backBufferLength).to.equal(Hls.DefaultConfig.backBufferLength);
  });

  it('leaves a shorter buffer behind the playhead of a live stream to who has asked hls.js for it', async () => {
    const text = [
      '#EXTM3U',
      '#EXT-X-TARGETDURATION:2',
      '#EXTINF:2,',
      '/test/fixtures/media/lesson/v0/segment-00.ts',
      '',
    ];
    page.mesh.files.set('/live.m3u8', { body: text.join('\n'), type: 'application/vnd.apple.mpegurl' });
    const video = page.add<P2PVideo>('<p2p-video src="/live.m3u8" preload="none" muted></p2p-video>');
    const api = await until(() => video.api);
    api.config.backBufferLength = 10;
    video.play().catch(() => null); // the page is left before it plays
    await until(() => page.mesh.paths('.ts').length > 0);
    expect(api.config.backBufferLength).to.equal(10);
  });

  it('plays where a page on plain HTTP has no secure-context APIs', async () => {
    const hidden: [object, string][] = [
      [window, 'isSecureContext'],
      [crypto, 'subtle'],
      [navigator, 'serviceWorker'],
      [navigator, 'locks'],
      [window, 'caches'],
    ];
    for (const [on, name] of hidden) Object.defineProperty(on, name, { value: undefined, configurable: true });
    try {
      const video = page.add<P2PVideo>(`<p2p-video src="${LESSON}" autoplay muted></p2p-video>`);
      await until(() => video.currentTime > 0);
      expect(page.warnings).to.deep.equal([]);
    } finally {
      for (const [on, name] of hidden) Reflect.deleteProperty(on, name);
    }
  });
});
