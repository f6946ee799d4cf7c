import { expect } from 'chai';
import '../../../components/define/p2p-video.ts';
import type { P2PVideo } from '../../../components/p2p-video.ts';
import type { Digest } from '../../../protocol/ids.ts';
import { formatDigestTag } from '../../../protocol/playlist-tag.ts';
import { Page, until } from '../harness.browser.ts';

const FOLDER = '/test/fixtures/media/lesson/v2/';
/** Each made of two of the fixture's, so that it is 4 s long. */
const SEGMENTS = [
  ['segment-00', 'segment-01'],
  ['segment-02', 'segment-03'],
];
/** Of the first segment: more than two seconds. */
const SHARE = 0.7;

describe('p2p-video with a segment that comes in chunks', () => {
  let page: Page;
  beforeEach(() => (page = new Page()));
  afterEach(() => page.close());

  /** A stream of two segments, with their sizes. */
  async function makeStream(): Promise<void> {
    const lines = ['#EXTM3U', '#EXT-X-TARGETDURATION:4', '#EXT-X-PLAYLIST-TYPE:VOD'];
    for (const [index, names] of SEGMENTS.entries()) {
      const parts = await Promise.all(names.map(async (name) => (await fetch(`${FOLDER}${name}.t%73`)).arrayBuffer()));
      const body = new Blob(parts);
      page.mesh.files.set(`/two/${index}.ts`, { body, type: 'video/mp2t' });
      const digest = index.toString(16).padStart(64, '0') as Digest;
      lines.push(formatDigestTag({ digest, size: body.size }), '#EXTINF:4,', `/two/${index}.ts`);
    }
    const body = [...lines, '#EXT-X-ENDLIST', ''].join('\n');
    page.mesh.files.set('/two.m3u8', { body, type: 'application/vnd.apple.mpegurl' });
  }

  /** Plays from the first segment on; what of it was in the buffer in the end, and how many pictures were decoded. */
  async function play(): Promise<{ buffered: number[]; frames: number }> {
    await makeStream();
    const video = page.add<P2PVideo>('<p2p-video src="/two.m3u8" autoplay muted></p2p-video>');
    const errors: string[] = [];
    video.addEventListener('error', () => errors.push(String(video.error?.message)));
    video.nativeEl.addEventListener('error', () => errors.push(String(video.nativeEl.error?.message)));
    await until(() => video.buffered.length > 0 && video.readyState > 2, 'it plays');
    video.playbackRate = 4;
    await until(() => video.ended, 'it has played to the end');
    expect(errors).to.deep.equal([]);
    const { buffered } = video;
    const ranges = Array.from({ length: buffered.length }, (_, i) => [buffered.start(i), buffered.end(i)]).flat();
    const frames = video.nativeEl.getVideoPlaybackQuality().totalVideoFrames;
    video.remove();
    return { buffered: ranges.map((time) => Math.round(1000 * time)), frames };
  }

  it('shows the first picture before the last byte is there', async () => {
    let finish = (): void => undefined;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    page.mesh.stream = async (body, give) => {
      const most = Math.round(SHARE * body.byteLength);
      give(body.slice(0, most / 2));
      await new Promise((resolve) => setTimeout(resolve, 20)); // tells the rate
      give(body.slice(most / 2, most));
      await finished;
    };
    await makeStream();
    const video = page.add<P2PVideo>('<p2p-video src="/two.m3u8" autoplay muted></p2p-video>');
    await until(() => video.currentTime > 0.2, 'it plays');
    expect(page.mesh.served.filter((path) => path.endsWith('.ts'))).to.deep.equal([]);
    finish();
    await until(() => video.buffered.length === 1 && video.buffered.end(0) > 7.9, 'both segments');
  });

  it('plays the same as if it came at once, wherever the chunks end', async () => {
    const whole = await play();
    expect(whole.buffered).to.have.length(2);
    for (const [size, rest] of [
      [1880, 1],
      [65_536, 0], // nothing is left for the end
      [10_007, 1],
    ] as const) {
      page.mesh.stream = async (body, give) => {
        for (let at = 0; at < body.byteLength - rest * size; at += size) {
          give(body.slice(at, at + size));
          if (at < 5 * size) await new Promise((resolve) => setTimeout(resolve, 1));
        }
      };
      const { buffered, frames } = await play();
      expect(buffered).to.deep.equal(whole.buffered, `chunks of ${size} B`);
      expect(frames).to.be.within(whole.frames - 2, whole.frames + 2);
    }
  });
});
