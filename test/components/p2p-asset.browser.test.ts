import { expect } from 'chai';
import '../../components/define/p2p-asset.ts';
import type { P2PAsset } from '../../components/p2p-asset.ts';
import type { Prefetched } from '../../mesh/index.ts';
import { next, Page, settle } from './harness.browser.ts';

const done = (more: Partial<Prefetched> = {}): Prefetched => ({
  assets: 1,
  bytes: 10,
  missing: [],
  persisted: false,
  ...more,
});

describe('<p2p-asset>', () => {
  let page: Page;
  beforeEach(() => (page = new Page()));
  afterEach(() => page.close());

  async function add(html: string): Promise<P2PAsset> {
    const element = page.add<P2PAsset>(html);
    await element.updateComplete;
    return element;
  }

  it('brings its src, tells how far it is, and says when it is there', async () => {
    const element = await add('<p2p-asset src="/lesson.m3u8" swarm="lesson" max-bandwidth="2mbps"></p2p-asset>');
    const [{ what, options, resolve }] = page.mesh.prefetches as [(typeof page.mesh.prefetches)[0]];
    expect(what).to.equal('/lesson.m3u8');
    expect([options.swarm, options.maxBandwidth]).to.deep.equal(['lesson', 2_000_000]);
    const progress = next(element, 'progress');
    options.onProgress!(3, 10);
    await progress;
    expect([element.loaded, element.total, element.result]).to.deep.equal([3, 10, null]);
    const load = next(element, 'load');
    resolve(done());
    await load;
    expect(element.result).to.deep.equal(done());
    expect(page.warnings).to.deep.equal([]);
  });

  it('says what is missing, and what it was, once', async () => {
    const element = await add('<p2p-asset src="/lesson.m3u8"></p2p-asset>');
    const error = next(element, 'error');
    page.mesh.prefetches[0]!.resolve(done({ missing: ['https://school.test/0.ts'] }));
    await error;
    expect(element.result?.missing).to.have.length(1);
    expect(page.warnings).to.have.length(1);
    expect(page.warnings[0]).to.contain('/lesson.m3u8').and.to.contain('https://school.test/0.ts');
  });

  it('fails without a result where nothing can be brought', async () => {
    const element = await add('<p2p-asset src="/lesson.m3u8"></p2p-asset>');
    const error = next(element, 'error');
    page.mesh.prefetches[0]!.reject(new TypeError('no parser'));
    await error;
    expect(element.result).to.equal(null);
    expect(page.warnings[0]).to.contain('no parser');
  });

  it('begins anew with another src, once for all changes of a task, and forgets the one before', async () => {
    const element = await add('<p2p-asset src="/a.png"></p2p-asset>');
    element.src = '/b.png';
    element.setAttribute('swarm', 'b');
    await element.updateComplete;
    const [first, second] = page.mesh.prefetches;
    expect(page.mesh.prefetches).to.have.length(2);
    expect(first!.options.signal!.aborted).to.equal(true);
    expect([second!.what, second!.options.swarm]).to.deep.equal(['/b.png', 'b']);
    let events = 0;
    for (const type of ['load', 'error', 'progress']) element.addEventListener(type, () => events++);
    first!.options.onProgress!(1, 2);
    first!.resolve(done());
    await settle();
    expect([events, element.loaded, element.result]).to.deep.equal([0, 0, null]);
  });

  it('ends when it is taken away, and begins again when it is put back', async () => {
    const element = await add('<p2p-asset src="/a.png"></p2p-asset>');
    const { parentElement } = element;
    element.remove();
    expect(page.mesh.prefetches[0]!.options.signal!.aborted).to.equal(true);
    parentElement!.append(element);
    await element.updateComplete;
    expect(page.mesh.prefetches).to.have.length(2);
  });

  it('brings nothing without src, and all renditions where the bit rate is not understood', async () => {
    await add('<p2p-asset></p2p-asset>');
    expect(page.mesh.prefetches).to.have.length(0);
    await add('<p2p-asset src="/a.m3u8" max-bandwidth="fast"></p2p-asset>');
    expect(page.mesh.prefetches[0]!.options.maxBandwidth).to.equal(undefined);
    expect(page.warnings[0]).to.contain('max-bandwidth="fast"').and.to.contain('2mbps');
  });
});
