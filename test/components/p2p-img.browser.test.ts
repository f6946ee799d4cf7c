import { expect } from 'chai';
import '../../components/define/p2p-img.ts';
import type { P2PImg } from '../../components/p2p-img.ts';
import { next, Page, settle, until } from './harness.browser.ts';

const MAP = '/test/fixtures/media/map.png';
const MAP_URL = new URL(MAP, location.href).href;
const SVG =
  '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"><rect width="40" height="30" fill="red"/></svg>';

describe('p2p-img', () => {
  let page: Page;
  beforeEach(() => (page = new Page()));
  afterEach(() => page.close());

  const shown = async (html: string): Promise<P2PImg> => {
    const element = page.add<P2PImg>(html);
    await next(element, 'load');
    return element;
  };

  it('shows the image that the mesh gives, by a blob: URL', async () => {
    const image = await shown(`<p2p-img src="${MAP}" alt="a map"></p2p-img>`);
    expect(page.mesh.asked.map(({ url }) => url)).to.deep.equal([MAP_URL]);
    expect(image.nativeEl.src).to.match(/^blob:/);
    expect(image.nativeEl.alt).to.equal('a map');
    expect(image.naturalWidth).to.be.greaterThan(0);
  });

  it('looks like an <img> from outside', async () => {
    const image = await shown(`<p2p-img src="${MAP}"></p2p-img>`);
    const native = new Image();
    native.src = MAP;
    await native.decode();
    const of = (from: HTMLImageElement | P2PImg): unknown[] => [
      from.src,
      from.currentSrc,
      from.complete,
      from.naturalWidth,
      from.naturalHeight,
      from.alt,
    ];
    expect(of(image)).to.deep.equal(of(native));
  });

  it('tells where the bytes came from', async () => {
    page.mesh.holders = () => true;
    const image = await shown(`<p2p-img src="${MAP}"></p2p-img>`);
    expect(image.source).to.equal('peers');
    expect(image.getAttribute('source')).to.equal('peers');
    expect(image.shared).to.equal(true);
  });

  it('says once for a page, quietly, that an image is not shared', async () => {
    page.mesh.shared = false;
    const image = await shown(`<p2p-img src="${MAP}"></p2p-img>`);
    await shown(`<p2p-img src="${MAP}?2"></p2p-img>`);
    expect(image.shared).to.equal(false);
    expect(page.debugs).to.have.length(1);
    expect(page.debugs[0]).to.contain('is not in the manifest: not shared');
    expect(page.warnings).to.deep.equal([]);
  });

  it('is laid out as an <img>: by its own size, by attributes, by CSS', async () => {
    const image = await shown(`<p2p-img src="${MAP}"></p2p-img>`);
    expect([image.offsetWidth, image.offsetHeight]).to.deep.equal([image.naturalWidth, image.naturalHeight]);
    image.width = 100;
    image.height = 50;
    expect(image.getAttribute('width')).to.equal('100');
    expect([image.offsetWidth, image.offsetHeight]).to.deep.equal([100, 50]);
    image.style.width = '60px';
    expect([image.nativeEl.offsetWidth, image.nativeEl.offsetHeight]).to.deep.equal([60, 30]);
  });

  it('keeps the place of an image with width and height before it is there', async () => {
    page.mesh.gate = new Promise(() => undefined);
    const image = page.add<P2PImg>(`<p2p-img src="${MAP}" width="120" height="60"></p2p-img>`);
    await image.updateComplete;
    expect([image.offsetWidth, image.offsetHeight]).to.deep.equal([120, 60]);
  });

  it('shows SVG', async () => {
    page.mesh.files.set('/drawing', { body: SVG, type: 'image/svg+xml' });
    const image = await shown('<p2p-img src="/drawing"></p2p-img>');
    expect([image.naturalWidth, image.naturalHeight]).to.deep.equal([40, 30]);
  });

  it('frees the blob: URL when the image is shown', async () => {
    const image = await shown(`<p2p-img src="${MAP}"></p2p-img>`);
    const gone = await fetch(image.nativeEl.src).then(
      () => false,
      () => true,
    );
    expect(gone).to.equal(true);
  });

  it('ends the old load when src changes', async () => {
    page.mesh.gate = new Promise(() => undefined);
    const image = page.add<P2PImg>('<p2p-img src="/slow.png"></p2p-img>');
    await until(() => page.mesh.asked.length === 1);
    page.mesh.gate = Promise.resolve();
    image.src = MAP;
    expect(image.complete).to.equal(false);
    await next(image, 'load');
    expect(page.mesh.asked[0]?.options.signal?.aborted).to.equal(true);
    expect(image.currentSrc).to.equal(MAP_URL);
  });

  it('ends the load when it is removed, and begins again when it comes back', async () => {
    page.mesh.gate = new Promise(() => undefined);
    const image = page.add<P2PImg>(`<p2p-img src="${MAP}"></p2p-img>`);
    await until(() => page.mesh.asked.length === 1);
    const parent = image.parentElement!;
    image.remove();
    expect(page.mesh.asked[0]?.options.signal?.aborted).to.equal(true);
    page.mesh.gate = Promise.resolve();
    parent.appendChild(image);
    await next(image, 'load');
    expect(page.mesh.asked).to.have.length(2);
  });

  it('keeps its image when it is moved', async () => {
    const image = await shown(`<p2p-img src="${MAP}"></p2p-img>`);
    image.parentNode?.appendChild(image);
    await settle();
    expect(page.mesh.asked).to.have.length(1);
    expect(image.complete).to.equal(true);
  });

  it('loads the URL natively where the mesh fails', async () => {
    page.mesh.refused.set(MAP, 0);
    const image = await shown(`<p2p-img src="${MAP}"></p2p-img>`);
    expect(image.nativeEl.src).to.equal(MAP_URL);
    expect(image.source).to.equal(null);
    expect(image.currentSrc).to.equal(MAP_URL);
  });

  it('fires error for what can be had neither way, as <img> does', async () => {
    const image = page.add<P2PImg>('<p2p-img src="/nowhere.png"></p2p-img>');
    const event = await next(image, 'error');
    expect(event.bubbles).to.equal(false);
    expect(image.complete).to.equal(true);
    expect(image.naturalWidth).to.equal(0);
  });

  it('with srcset is loaded natively, without the mesh', async () => {
    const image = await shown(`<p2p-img src="/small.png" srcset="${MAP} 1x" sizes="10px"></p2p-img>`);
    expect(page.mesh.asked).to.deep.equal([]);
    expect(image.currentSrc).to.equal(MAP_URL);
  });

  it('loads data: URLs natively', async () => {
    const image = await shown(`<p2p-img src='data:image/svg+xml,${encodeURIComponent(SVG)}'></p2p-img>`);
    expect(page.mesh.asked).to.deep.equal([]);
    expect(image.naturalWidth).to.equal(40);
  });

  it('loading="lazy" waits until it comes near the viewport', async () => {
    const far = page.add<HTMLElement>('<div style="height: 9000px"></div>');
    const image = page.add<P2PImg>(`<p2p-img src="${MAP}" loading="lazy" width="10" height="10"></p2p-img>`);
    await image.updateComplete;
    await settle();
    expect(page.mesh.asked).to.deep.equal([]);
    expect(image.complete).to.equal(false);
    far.style.height = '0';
    await next(image, 'load');
    expect(page.mesh.asked).to.have.length(1);
  });

  it('a lazy image that becomes eager loads at once', async () => {
    page.add<HTMLElement>('<div style="height: 9000px"></div>');
    const image = page.add<P2PImg>(`<p2p-img src="${MAP}" loading="lazy" width="10" height="10"></p2p-img>`);
    await image.updateComplete;
    image.loading = 'eager';
    await next(image, 'load');
  });

  it('decode() resolves when the image can be shown', async () => {
    const image = page.add<P2PImg>(`<p2p-img src="${MAP}"></p2p-img>`);
    await image.decode();
    expect(image.naturalWidth).to.be.greaterThan(0);
  });

  it('takes properties that were set before it was upgraded', async () => {
    const image = document.createElement('p2p-img');
    Object.defineProperty(image, 'src', { value: MAP, writable: true, configurable: true, enumerable: true });
    page.add<HTMLElement>('<div></div>').append(image);
    await next(image, 'load');
    expect(image.getAttribute('src')).to.equal(MAP);
  });

  it('without src is complete and shows nothing', async () => {
    const image = page.add<P2PImg>('<p2p-img></p2p-img>');
    await image.updateComplete;
    expect(image.complete).to.equal(true);
    expect(image.src).to.equal('');
    expect(page.mesh.asked).to.deep.equal([]);
  });

  it('forgets the image when src is taken away', async () => {
    const image = await shown(`<p2p-img src="${MAP}"></p2p-img>`);
    image.removeAttribute('src');
    await image.updateComplete;
    expect(image.source).to.equal(null);
    expect(image.nativeEl.hasAttribute('src')).to.equal(false);
  });
});
