import { expect } from 'chai';
import '../../../components/define/p2p-video.ts';
import type { P2PVideo } from '../../../components/p2p-video.ts';
import { Page, until } from '../harness.browser.ts';

const LESSON = '/test/fixtures/media/lesson/index.m3u8';
const SEGMENTS = 12;

describe('p2p-videos of one page', () => {
  let page: Page;
  beforeEach(() => {
    page = new Page();
    page.mesh.setStats({ lineRate: 1_000_000 }); // carries the best rendition, of 0.56 Mbit/s, once but not twice
  });
  afterEach(() => page.close());

  const add = (swarm: string): P2PVideo =>
    page.add<P2PVideo>(`<p2p-video src="${LESSON}" swarm="${swarm}" autoplay muted></p2p-video>`);

  /** Waits until all videos have all segments. @returns how many of the best rendition were asked for */
  async function best(...videos: readonly P2PVideo[]): Promise<number> {
    const done = (): boolean =>
      videos.every(({ buffered }) => buffered.length === 1 && buffered.end(0) > 2 * SEGMENTS - 1);
    await until(done, 'all segments');
    return page.mesh.paths('.ts').filter((path) => path.includes('/v2/')).length;
  }

  it('take the best rendition that the line carries while only one of them plays', async () => {
    expect(await best(add('alone'))).to.be.greaterThan(0);
  });

  it('share the line when they play different streams', async () => {
    expect(await best(add('one'), add('other'))).to.equal(0);
  });
});
