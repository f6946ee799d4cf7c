import { expect } from 'chai';
import '../../components/define/p2p-video.ts';
import type { P2PVideo } from '../../components/p2p-video.ts';
import { next, Page, settle, until } from './harness.browser.ts';

const LESSON = '/test/fixtures/media/lesson/index.m3u8';
const LESSON_URL = new URL(LESSON, location.href).href;

describe('p2p-video', () => {
  let page: Page;
  beforeEach(() => (page = new Page()));
  afterEach(() => page.close());

  const segments = (): string[] => page.mesh.paths('.ts');
  const buffered = (video: P2PVideo): Promise<unknown> =>
    until(() => video.buffered.length > 0, 'something is buffered');

  /** A clip of one frame, made by the browser itself, so that a plain file is there in any format it plays. */
  async function clip(): Promise<string> {
    const canvas = document.createElement('canvas');
    canvas.getContext('2d')?.fillRect(0, 0, 10, 10);
    const recorder = new MediaRecorder(canvas.captureStream(10), { mimeType: 'video/webm' });
    const data = next(recorder, 'dataavailable') as Promise<BlobEvent>;
    recorder.start();
    await new Promise((resolve) => setTimeout(resolve, 200));
    recorder.stop();
    return URL.createObjectURL((await data).data);
  }

  describe('as a drop-in for <video>', () => {
    it('has every property and method of <video>', () => {
      const video = page.add<P2PVideo>('<p2p-video></p2p-video>');
      const missing = Object.getOwnPropertyNames(HTMLVideoElement.prototype)
        .concat(Object.getOwnPropertyNames(HTMLMediaElement.prototype))
        .filter((name) => !(name in video));
      expect(missing).to.deep.equal([]);
      expect(video.HAVE_ENOUGH_DATA).to.equal(4);
    });

    it('hands attributes on to the native video, at once and later', () => {
      const video = page.add<P2PVideo>(
        '<p2p-video controls loop muted playsinline preload="none" poster="/p.png" width="200" height="100"></p2p-video>',
      );
      const { nativeEl } = video;
      for (const name of ['controls', 'loop', 'muted', 'playsinline'])
        expect(nativeEl.hasAttribute(name), name).to.equal(true);
      expect(nativeEl.muted).to.equal(true);
      expect([nativeEl.preload, nativeEl.width, nativeEl.poster]).to.deep.equal([
        'none',
        200,
        new URL('/p.png', location.href).href,
      ]);
      video.removeAttribute('controls');
      expect(nativeEl.controls).to.equal(false);
    });

    it('begins muted when the attribute comes before the source, also by script', async () => {
      const video = page.add<P2PVideo>('<p2p-video></p2p-video>');
      await video.updateComplete;
      video.setAttribute('muted', '');
      expect(video.muted).to.equal(true);
    });

    it('reflects properties to attributes as <video> does', () => {
      const video = page.add<P2PVideo>('<p2p-video></p2p-video>');
      video.controls = true;
      video.defaultMuted = true;
      video.width = 320;
      expect([video.hasAttribute('controls'), video.hasAttribute('muted'), video.getAttribute('width')]).to.deep.equal([
        true,
        true,
        '320',
      ]);
      video.controls = false;
      expect(video.hasAttribute('controls')).to.equal(false);
    });

    it('plays with the properties of the native video', () => {
      const video = page.add<P2PVideo>('<p2p-video></p2p-video>');
      video.volume = 0.5;
      video.playbackRate = 2;
      expect([video.nativeEl.volume, video.nativeEl.playbackRate, video.paused]).to.deep.equal([0.5, 2, true]);
    });

    it('fires the events of the native video: same type, from the host, not bubbling', async () => {
      const video = page.add<P2PVideo>('<p2p-video></p2p-video>');
      let atParent = 0;
      video.parentElement?.addEventListener('volumechange', () => atParent++);
      const event = next(video, 'volumechange');
      video.volume = 0.1;
      expect((await event).target).to.equal(video);
      expect(atParent).to.equal(0);
    });

    it('is laid out as a <video>', async () => {
      const video = page.add<P2PVideo>('<p2p-video></p2p-video>');
      await video.updateComplete;
      expect([video.offsetWidth, video.offsetHeight]).to.deep.equal([300, 150]);
      video.setAttribute('width', '200');
      video.setAttribute('height', '50');
      expect([video.offsetWidth, video.offsetHeight]).to.deep.equal([200, 50]);
    });

    it('takes <track> children along', async () => {
      const video = page.add<P2PVideo>(
        '<p2p-video><track kind="chapters" srclang="en" src="data:text/vtt,WEBVTT"></p2p-video>',
      );
      expect(video.textTracks[0]?.kind).to.equal('chapters');
      video.insertAdjacentHTML('beforeend', '<track kind="metadata">');
      await until(() => video.textTracks.length === 2);
    });

    it('says that it can play HLS', () => {
      const video = page.add<P2PVideo>('<p2p-video></p2p-video>');
      expect(video.canPlayType('application/vnd.apple.mpegurl')).to.not.equal('');
      expect(video.canPlayType('video/nonsense')).to.equal('');
    });

    it('takes properties that were set before it was upgraded', async () => {
      const video = document.createElement('p2p-video');
      Object.defineProperty(video, 'volume', { value: 0.25, writable: true, configurable: true, enumerable: true });
      page.add<HTMLElement>('<div></div>').append(video);
      expect(video.nativeEl.volume).to.equal(0.25);
    });
  });

  describe('with a plain file', () => {
    it('gives it to the native video', async () => {
      const url = await clip();
      const video = page.add<P2PVideo>(`<p2p-video src="${url}"></p2p-video>`);
      await next(video, 'loadeddata');
      expect([video.currentSrc, video.nativeEl.src, video.api, video.error]).to.deep.equal([url, url, null, null]);
      expect(page.mesh.joined).to.deep.equal([]);
    });

    it('takes the first <source> that it can play', async () => {
      const url = await clip();
      const video = page.add<P2PVideo>(
        `<p2p-video><source src="/no.mp4" type="video/nonsense"><source src="${url}" type="video/webm"></p2p-video>`,
      );
      await next(video, 'loadeddata');
      expect(video.currentSrc).to.equal(url);
    });

    it('asks the origin what a URL is that does not tell', async () => {
      const real = window.fetch;
      window.fetch = () => Promise.resolve(new Response('', { headers: { 'content-type': 'application/x-mpegURL' } }));
      try {
        const video = page.add<P2PVideo>('<p2p-video src="/watch?v=1"></p2p-video>');
        await until(() => video.api);
        expect(page.mesh.asked[0]?.url).to.equal(new URL('/watch?v=1', location.href).href);
      } finally {
        window.fetch = real;
      }
    });

    it('fires error for a file that is not there, with the native error', async () => {
      const video = page.add<P2PVideo>('<p2p-video src="/nowhere.mp4"></p2p-video>');
      await next(video, 'error');
      expect(video.error?.code).to.equal(MediaError.MEDIA_ERR_SRC_NOT_SUPPORTED);
    });

    it('leaves nothing of it when src is taken away', async () => {
      const video = page.add<P2PVideo>(`<p2p-video src="${await clip()}"></p2p-video>`);
      await next(video, 'loadeddata');
      video.removeAttribute('src');
      await next(video, 'emptied');
      expect(video.currentSrc).to.equal('');
      expect(video.readyState).to.equal(0);
    });
  });

  describe('with HLS', () => {
    it('joins the swarm of the stream at once: its URL without the query', async () => {
      const video = page.add<P2PVideo>(`<p2p-video src="${LESSON}?token=1"></p2p-video>`);
      await video.updateComplete;
      expect(page.mesh.joined).to.deep.equal([LESSON_URL]);
    });

    it('plays through the mesh', async () => {
      const video = page.add<P2PVideo>(`<p2p-video src="${LESSON}" muted></p2p-video>`);
      await video.play();
      await until(() => video.currentTime > 0.3);
      expect(video.currentSrc).to.equal(LESSON_URL);
      expect(video.nativeEl.src).to.match(/^blob:/);
      expect(video.api?.levels).to.have.length(3);
      expect(segments()).to.not.be.empty;
      expect(page.mesh.asked.every(({ options }) => options.swarm === LESSON_URL)).to.equal(true);
    });

    it('play() right after src waits for the player, as it does for a file', async () => {
      const video = page.add<P2PVideo>('<p2p-video muted></p2p-video>');
      video.src = LESSON;
      await video.play();
      expect(video.paused).to.equal(false);
    });

    it('pause() and a new src interrupt a play() that waits', async () => {
      const video = page.add<P2PVideo>(`<p2p-video src="${LESSON}" muted></p2p-video>`);
      await video.updateComplete;
      for (const interrupt of [() => video.pause(), () => video.load()]) {
        const playing = video.play().then(
          () => 'plays',
          (error: unknown) => (error as DOMException).name,
        );
        interrupt();
        expect(await playing).to.equal('AbortError');
      }
    });

    it('has the author’s name for the swarm where there is one', async () => {
      const video = page.add<P2PVideo>(`<p2p-video src="${LESSON}" swarm="class 7b"></p2p-video>`);
      await video.updateComplete;
      expect(page.mesh.joined).to.deep.equal(['class 7b']);
    });

    it('warns about a swarm name that can’t be one, and takes the URL', async () => {
      const video = page.add<P2PVideo>(`<p2p-video src="${LESSON}" swarm=""></p2p-video>`);
      await video.updateComplete;
      expect(page.mesh.joined).to.deep.equal([LESSON_URL]);
      expect(page.warnings[0]).to.match(/<p2p-video swarm>: A swarm's name has 1 to 512 characters/);
    });

    it('is found by the type of a <source>', async () => {
      const video = page.add<P2PVideo>(
        `<p2p-video><source src="${LESSON}" type="application/vnd.apple.mpegurl"></p2p-video>`,
      );
      await until(() => video.api);
      expect(video.currentSrc).to.equal(LESSON_URL);
    });

    it('autoplay plays by itself, muted', async () => {
      const video = page.add<P2PVideo>(`<p2p-video src="${LESSON}" autoplay muted></p2p-video>`);
      await next(video, 'playing');
      expect(video.paused).to.equal(false);
    });

    it('preload="none" reads playlists but no segment before play()', async () => {
      const video = page.add<P2PVideo>(`<p2p-video src="${LESSON}" preload="none" muted></p2p-video>`);
      await until(() => page.mesh.paths('.m3u8').length === 4, 'all playlists');
      await settle();
      expect(segments()).to.deep.equal([]);
      await video.play();
      await until(() => video.currentTime > 0);
      expect(segments()).to.not.be.empty;
    });

    it('preload="metadata" loads one segment before play()', async () => {
      const video = page.add<P2PVideo>(`<p2p-video src="${LESSON}" preload="metadata" muted></p2p-video>`);
      await buffered(video);
      expect(video.duration).to.be.within(23, 25);
      await until(() => video.api?.bufferingEnabled);
      for (let i = 0; i < 5; i++) await settle();
      expect(segments()).to.have.length(1);
      await video.play();
      await until(() => segments().length > 2, 'the rest follows');
    });

    it('a new src ends the old stream', async () => {
      const video = page.add<P2PVideo>(`<p2p-video src="${LESSON}"></p2p-video>`);
      await buffered(video);
      const old = video.api;
      video.src = `${LESSON}?again`;
      await until(() => video.api && video.api !== old);
      expect(old?.media).to.not.equal(video.nativeEl);
      expect(video.currentSrc).to.equal(`${LESSON_URL}?again`);
      await buffered(video);
    });

    it('from HLS to a plain file and back', async () => {
      const video = page.add<P2PVideo>(`<p2p-video src="${LESSON}"></p2p-video>`);
      await buffered(video);
      video.src = await clip();
      await next(video, 'loadeddata');
      expect(video.api).to.equal(null);
      video.src = LESSON;
      await until(() => video.api);
      await buffered(video);
    });

    it('stops when it is removed, and begins anew when it comes back', async () => {
      const video = page.add<P2PVideo>(`<p2p-video src="${LESSON}"></p2p-video>`);
      await buffered(video);
      // One that is still under way ends with the player, and is asked for again.
      const playlists = 4;
      await until(
        () => page.mesh.served.filter((path) => path.endsWith('.m3u8')).length === playlists,
        'all playlists',
      );
      const parent = video.parentElement!;
      video.remove();
      await Promise.resolve();
      expect(video.api).to.equal(null);
      parent.appendChild(video);
      await until(() => video.api);
      await buffered(video);
      expect(page.mesh.paths('.m3u8')).to.have.length(playlists);
    });

    it('plays on where it is moved to within the page', async () => {
      const video = page.add<P2PVideo>(`<p2p-video src="${LESSON}" muted></p2p-video>`);
      await video.play();
      await until(() => video.currentTime > 0.3);
      const { api, nativeEl } = video;
      let emptied = 0;
      video.addEventListener('emptied', () => emptied++);
      page.add<HTMLElement>('<div></div>').append(video);
      const at = video.currentTime;
      expect(at).to.be.above(0.3);
      await video.updateComplete;
      await settle();
      expect([video.api === api, api?.media === nativeEl, video.nativeEl === nativeEl, emptied]).to.deep.equal([
        true,
        true,
        true,
        0,
      ]);
      await until(() => !video.paused && video.currentTime > at);
    });

    it('begins with the source that it got on its way to another place', async () => {
      const video = page.add<P2PVideo>(`<p2p-video src="${LESSON}"></p2p-video>`);
      const old = await until(() => video.api);
      video.remove();
      video.src = `${LESSON}?again`;
      page.add<HTMLElement>('<div></div>').append(video);
      await until(() => video.api && video.api !== old);
      expect(video.currentSrc).to.equal(`${LESSON_URL}?again`);
    });

    it('fires error when the origin refuses the stream, and says so once', async () => {
      page.mesh.refused.set(LESSON, 404);
      const video = page.add<P2PVideo>(`<p2p-video src="${LESSON}"></p2p-video>`);
      await video.updateComplete;
      await next(video, 'error');
      expect(video.error?.code).to.equal(MediaError.MEDIA_ERR_NETWORK);
      expect(page.warnings).to.have.length(1);
      expect(page.warnings[0]).to.contain(`${LESSON_URL} can't be played`);
    });

    it('fires error when the origin of the stream stays unreachable', async () => {
      page.mesh.origin = false;
      const video = page.add<P2PVideo>(`<p2p-video src="${LESSON}"></p2p-video>`);
      await next(video, 'error');
      expect(video.error?.code).to.equal(MediaError.MEDIA_ERR_NETWORK);
    });

    it('fires error for a playlist that is none', async () => {
      page.mesh.files.set('/fake.m3u8', { body: '<h1>Not found</h1>', type: 'text/html' });
      const video = page.add<P2PVideo>('<p2p-video src="/fake.m3u8"></p2p-video>');
      await next(video, 'error');
      expect(video.error?.code).to.equal(MediaError.MEDIA_ERR_SRC_NOT_SUPPORTED);
    });
  });
});
