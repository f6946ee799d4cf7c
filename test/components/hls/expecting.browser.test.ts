import { expect } from 'chai';
import '../../../components/define/p2p-video.ts';
import type { P2PVideo } from '../../../components/p2p-video.ts';
import type { Expected } from '../../../protocol/page.ts';
import { Page, settle, until } from '../harness.browser.ts';

const LESSON = '/test/fixtures/media/lesson/index.m3u8';

describe('what p2p-video tells the mesh of what is to come', () => {
  let page: Page;
  beforeEach(() => {
    page = new Page();
    page.mesh.tagged = true;
  });
  afterEach(() => page.close());

  const said = (): readonly Expected[] => page.mesh.expected.at(-1)?.assets ?? [];
  const names = (assets = said()): string[] =>
    assets.map(({ url }) => new URL(url).pathname.replace(/.*\/(v\d)\/segment-(\d+)\.ts/, '$1/$2'));
  const loading = (): string[] => page.mesh.paths('.ts');

  /** Loads wait for this from now on. */
  function hold(): void {
    page.mesh.gate = new Promise(() => undefined);
  }

  /** One rendition of the lesson by itself. */
  const pinned = (attributes = 'muted'): P2PVideo =>
    page.add<P2PVideo>(`<p2p-video src="/test/fixtures/media/lesson/v1/index.m3u8" ${attributes}></p2p-video>`);

  it('tells the coming segments of its rendition, soonest first, before the first one is there', async () => {
    const video = pinned();
    await until(() => said().length > 0, 'the first words');
    expect(names(page.mesh.expected[0]?.assets)).to.deep.equal(
      Array.from({ length: 12 }, (_, index) => `v1/${String(index).padStart(2, '0')}`),
    );
    expect(page.mesh.expected[0]?.assets.map(({ within }) => Math.round(within / 1000))).to.deep.equal([
      ...[0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22],
    ]);
    expect(page.mesh.expected[0]?.swarm).to.equal(new URL(video.src).href);
  });

  it('does not fetch ahead in a rendition that is a guess; once it is chosen, it does', async () => {
    page.add<P2PVideo>(`<p2p-video src="${LESSON}" muted></p2p-video>`);
    await until(() => loading().length > 0);
    expect(said()).to.deep.equal([]);
    await until(() => said().length > 3);
    expect(names()[0]).to.match(/^v\d\/0[1-3]$/);
  });

  it('a seek drops what the old position asked for, at once', async () => {
    const video = pinned('muted preload="metadata"');
    await until(() => video.buffered.length > 0);
    await video.play();
    hold();
    await until(() => said().length > 0);
    video.currentTime = 20;
    await until(() => names()[0] === 'v1/10');
    expect(names()).to.deep.equal(['v1/10', 'v1/11']);
    expect(said()[0]?.within).to.be.lessThan(50); // its first frame is not exactly at 20 s
  });

  it('a segment that is under way when the viewer seeks away is aborted', async () => {
    const video = pinned('muted preload="metadata"');
    await until(() => video.buffered.length > 0);
    hold();
    await video.play();
    const count = page.mesh.asked.length;
    video.currentTime = 21;
    const asked = await until(() => page.mesh.asked.slice(count).find(({ url }) => url.endsWith('10.ts')));
    expect(asked.options.signal?.aborted).to.equal(false);
    video.currentTime = 1;
    await until(() => asked.options.signal?.aborted, 'the load of the old position is aborted');
    expect(names()).to.not.include('v1/00');
  });

  it('an element that is removed expects nothing, and each speaks for itself', async () => {
    const [one, two] = [pinned(), pinned()];
    const players = (): Set<number> => new Set(page.mesh.expected.map(({ player }) => player));
    await until(() => players().size === 2);
    const told = page.mesh.expected.length;
    for (const video of [one, two]) video.remove();
    await until(() => one.api === null && two.api === null);
    const last = (player: number) => page.mesh.expected.filter((said) => said.player === player).at(-1)?.assets;
    for (const player of players()) expect(last(player)).to.deep.equal([]);
    expect(told).to.be.greaterThan(1);
  });

  it('preload="metadata" expects nothing before play()', async () => {
    const video = pinned('muted preload="metadata"');
    await until(() => video.buffered.length > 0);
    await settle();
    expect(page.mesh.expected).to.deep.equal([]);
    await video.play();
    await until(() => page.mesh.expected.length > 0);
  });

  it('a live stream is needed from where it begins, and new segments are told when they are listed', async () => {
    const live = (first: number): string =>
      [
        '#EXTM3U',
        '#EXT-X-TARGETDURATION:2',
        `#EXT-X-MEDIA-SEQUENCE:${first}`,
        ...Array.from({ length: 6 }, (_, i) => [
          '#EXTINF:2,',
          `/test/fixtures/media/lesson/v0/segment-0${first + i}.ts`,
        ]).flat(),
        '',
      ].join('\n');
    const put = (first: number): unknown =>
      page.mesh.files.set('/live.m3u8', { body: live(first), type: 'application/vnd.apple.mpegurl' });
    put(0);
    page.add<P2PVideo>('<p2p-video src="/live.m3u8" autoplay muted></p2p-video>');
    await until(() => loading().length > 0);
    const first = page.mesh.asked.find(({ url }) => url.endsWith('.ts'));
    expect(first?.url).to.match(/segment-03\.ts$/);
    expect(first?.options.deadline).to.equal(0);
    put(1);
    await until(() => names().includes('v0/06') || loading().some((path) => path.endsWith('06.ts')));
  });

  describe('choosing the rendition', () => {
    const renditionsAsked = (): string[] => [...new Set(loading().map((path) => /v\d/.exec(path)?.[0] ?? ''))];

    it('takes the best that the line carries once, though neighbours deliver more', async () => {
      page.mesh.setStats({ lineRate: 300_000 });
      const video = page.add<P2PVideo>(`<p2p-video src="${LESSON}" muted></p2p-video>`);
      await until(() => loading().length >= 12);
      expect(video.api?.levels.map(({ averageBitrate }) => averageBitrate * 1.2 < 300_000)).to.deep.equal([
        true,
        true,
        false,
      ]);
      expect(renditionsAsked()).to.not.include('v2');
      expect(loading().filter((path) => path.includes('/v1/')).length).to.be.greaterThan(10);
    });

    it('expects the better rendition from where the site has no more of this one, unless the choice is made by hand', async () => {
      page.mesh.holders = (url) => /v0\/segment-0[0-5]/.test(url);
      page.mesh.setStats({ peers: 1, lineRate: 130_000 });
      const video = page.add<P2PVideo>(`<p2p-video src="${LESSON}" muted preload="metadata"></p2p-video>`);
      await until(() => video.buffered.length > 0);
      hold();
      page.mesh.setStats({ lineRate: 400_000 });
      await video.play();
      const numbers = ['01', '02', '03', '04', '05', '06', '07', '08', '09', '10', '11'];
      await until(() => names().includes('v1/06'));
      expect(names()).to.deep.equal(numbers.map((number) => `v${number < '06' ? 0 : 1}/${number}`));
      video.api!.loadLevel = 0;
      video.currentTime = 1;
      await until(() => names().includes('v0/06'));
      expect(names()).to.deep.equal(numbers.map((number) => `v0/${number}`));
    });

    it('goes on as high as the line allows', async () => {
      page.mesh.setStats({ lineRate: 50e6 });
      page.add<P2PVideo>(`<p2p-video src="${LESSON}" muted></p2p-video>`);
      await until(() => loading().length >= 12);
      expect(loading().filter((path) => path.includes('/v2/')).length).to.be.greaterThan(10);
    });

    it('abr="player" is hls.js by itself, and nothing may wait longer than it waits', async () => {
      page.mesh.setStats({ lineRate: 100_000 });
      const video = page.add<P2PVideo>(`<p2p-video src="${LESSON}" abr="player" muted></p2p-video>`);
      await until(() => loading().length >= 6);
      const Hls = video.api!.constructor as typeof import('hls.js').default;
      expect(video.api!.config.abrController === Hls.DefaultConfig.abrController).to.equal(true);
      expect(renditionsAsked()).to.include('v2');
      const deadlines = page.mesh.asked.filter(({ url }) => url.endsWith('.ts')).map(({ options }) => options.deadline);
      expect(Math.max(...deadlines.map((deadline) => deadline ?? NaN))).to.be.closeTo(800, 1);
    });

    it('any other abr is told once and counts as the default', async () => {
      const video = page.add<P2PVideo>(`<p2p-video src="${LESSON}" abr="best" muted></p2p-video>`);
      await until(() => video.api);
      video.load();
      await until(() => video.api);
      expect(page.warnings.filter((warning) => warning.includes('abr="best"'))).to.have.length(1);
    });
  });
});
