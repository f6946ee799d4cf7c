import { expect } from 'chai';
import '../../../components/define/p2p-video.ts';
import type { P2PVideo } from '../../../components/p2p-video.ts';
import { next, Page, until } from '../harness.browser.ts';

const LESSON = '/test/fixtures/media/lesson/index.m3u8';

describe('p2p-video without its origin', () => {
  let page: Page;
  let video: P2PVideo;
  let errors = 0;

  /** The page has all playlists and the first segment; then the origin goes away. */
  beforeEach(async () => {
    page = new Page();
    page.mesh.tagged = true;
    video = page.add<P2PVideo>(`<p2p-video src="${LESSON}" preload="metadata" muted></p2p-video>`);
    errors = 0;
    video.addEventListener('error', () => errors++);
    await until(
      () => video.buffered.length > 0 && page.mesh.served.filter((path) => path.endsWith('.m3u8')).length === 4,
      'first segment and all playlists',
    );
    page.mesh.origin = false;
    page.mesh.asked.length = 0;
  });
  afterEach(() => page.close());

  const segments = (): string[] => page.mesh.paths('.ts');
  const of =
    (rendition: number) =>
    (path: string): boolean =>
      path.includes(`/v${rendition}/`) && path.endsWith('.ts');
  const bufferedEnd = (): number => (video.buffered.length > 0 ? video.buffered.end(video.buffered.length - 1) : 0);

  for (const rendition of [0, 1, 2]) {
    it(`goes on with rendition ${rendition} when that is what a neighbour holds, without an error`, async () => {
      page.mesh.holders = of(rendition);
      await video.play();
      await until(() => bufferedEnd() > 23, 'the whole lesson');
      const elsewhere = segments().filter((path) => !of(rendition)(path));
      expect(elsewhere.length).to.be.lessThan(3); // what was asked for before it was known who holds what
      expect(segments().filter(of(rendition)).length).to.be.greaterThan(9);
      expect(errors).to.equal(0);
    });
  }

  it('changes the rendition where the neighbours’ holdings do', async () => {
    const index = (url: string): number => Number(/(\d+)\.t/.exec(url)?.[1]);
    page.mesh.holders = (url) => (index(url) < 6 ? of(0)(url) : of(2)(url));
    await video.play();
    await until(() => bufferedEnd() > 23, 'the whole lesson');
    expect(segments().some((path) => of(2)(path) && index(path) === 11)).to.equal(true);
    expect(errors).to.equal(0);
  });

  it('finds neighbours that come later', async () => {
    await video.play();
    await until(() => segments().length > 0, 'a segment was asked for in vain');
    page.mesh.holders = of(1);
    page.mesh.setStats({ peers: 1 });
    await until(() => bufferedEnd() > 6);
    expect(errors).to.equal(0);
  });

  it('waits for the origin when nobody holds anything, and plays on when it is back', async () => {
    await video.play();
    await until(() => segments().length > 1, 'a second try');
    page.mesh.origin = true;
    await until(() => bufferedEnd() > 6);
    expect(errors).to.equal(0);
  });

  it('forgets the failures of renditions when the origin is back, so that the player may climb again', async () => {
    page.mesh.holders = of(0);
    await video.play();
    const failures = (): number[] =>
      video.api?.levels.map(({ fragmentError, loadError }) => fragmentError + loadError) ?? [];
    await until(() => bufferedEnd() > 6 && Math.max(...failures()) > 0, 'goes on, with a rendition that failed');
    page.mesh.setStats({ originReachable: true });
    expect(failures()).to.deep.equal([0, 0, 0]);
  });

  it('still plays when the page gets the stream only now, from what it has read before', async () => {
    page.mesh.holders = of(0);
    video.remove();
    const late = page.add<P2PVideo>(`<p2p-video src="${LESSON}" autoplay muted></p2p-video>`);
    await next(late, 'playing');
    expect(page.mesh.paths('.m3u8')).to.deep.equal([]);
  });
});
