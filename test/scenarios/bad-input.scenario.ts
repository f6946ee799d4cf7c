/** What an author or an origin can get wrong in the browser: one clear message each, and the elements play on from the origin. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { DIGEST_TAG } from '../../protocol/playlist-tag.ts';
import { until } from '../harness/until.ts';
import { PATIENT, Person, person } from './support/person.ts';
import { KIT, stage, type Stage } from './support/stage.ts';

const LESSON = '<p2p-img src="/media/map.png"></p2p-img>\n<p2p-video src="/media/pinned.m3u8" muted></p2p-video>';

interface Mistake {
  readonly what: string;
  /** Of the page. */
  readonly body?: string;
  /** More files of the media folder. */
  readonly files?: (scene: Stage) => Promise<Readonly<Record<string, string>>> | Readonly<Record<string, string>>;
  readonly says: readonly RegExp[];
}

const MISTAKES: readonly Mistake[] = [
  {
    what: 'a manifest that is not JSON',
    body: `<p2p-mesh manifest="/media/broken.json"></p2p-mesh>\n${LESSON}`,
    files: () => ({ 'broken.json': '<html>Not found</html>' }),
    says: [/The manifest \S+\/media\/broken\.json is not JSON .*"p2p-elements manifest DIR"/],
  },
  {
    what: 'a manifest of another version',
    body: `<p2p-mesh manifest="/media/future.json"></p2p-mesh>\n${LESSON}`,
    files: () => ({ 'future.json': '{"version":2,"leaves":"/p2p/leaves/","assets":{}}' }),
    says: [/The manifest can't be used: "version" must be 1/],
  },
  {
    what: 'a manifest with a digest that can be none',
    body: `<p2p-mesh manifest="/media/short.json"></p2p-mesh>\n${LESSON}`,
    files: () => ({
      'short.json':
        '{"version":1,"leaves":"/p2p/leaves/","assets":{"/media/map.png":{"digest":"12ab","size":3,"type":"image/png"}}}',
    }),
    says: [/The manifest can't be used: "\/media\/map\.png" must have a digest of 64 hex digits/],
  },
  {
    what: 'a manifest that is not there',
    body: `<p2p-mesh manifest="/media/nowhere.json"></p2p-mesh>\n${LESSON}`,
    says: [/The manifest \S+\/media\/nowhere\.json .*\b404\b/],
  },
  {
    what: 'a signaling URL that is none',
    body: `<p2p-mesh signal="mesh.example:8080"></p2p-mesh>\n${LESSON}`,
    says: [/<p2p-mesh signal="mesh\.example:8080"> is not understood: expected .*http\(s\) URL/],
  },
  {
    what: 'unknown attribute values',
    body: `<p2p-mesh upload="sometimes" max-upload="fast" max-storage="little" worker="ftp://x/"></p2p-mesh>\n${LESSON}`,
    says: [
      /<p2p-mesh worker="ftp:\/\/x\/"> is not understood/,
      /<p2p-mesh upload="sometimes"> is not understood/,
      /<p2p-mesh max-upload="fast"> is not understood/,
      /<p2p-mesh max-storage="little"> is not understood/,
    ],
  },
  {
    what: 'a service worker that is not there',
    body: `<p2p-mesh worker="/media/nowhere.js"></p2p-mesh>\n${LESSON}`,
    says: [/The service worker \S+\/media\/nowhere\.js can't be registered/],
  },
  {
    what: 'malformed digest tags',
    body: '<p2p-video src="/media/broken.m3u8" muted></p2p-video>',
    files: async (scene) => ({ 'broken.m3u8': await withTags(scene, 'nonsense') }),
    says: [/Expected #EXT-X-P2P-DIGEST:<64 hex digits>,<size in bytes>, got "nonsense"/],
  },
];

test('a mistake is told once, and the elements play on', async (t) => {
  const scene = await stage(t);
  const { chromium } = await person(t);
  for (const [i, { what, body = LESSON, files, says }] of MISTAKES.entries()) {
    await t.test(what, async () => {
      for (const [name, text] of Object.entries((await files?.(scene)) ?? {})) await scene.write(name, text);
      const viewer = new Person(chromium, await chromium.newPage());
      await viewer.goto(await scene.page(`mistake-${i}`, `${KIT}\n${body}`));
      await viewer.videoBuffered();
      if (body.includes('p2p-img')) assert.equal(await viewer.imageShown(), 'origin');
      await until('the message', () => viewer.warnings.length >= says.length, PATIENT);
      assertSaid(viewer, says);
      await viewer.page.close();
    });
  }
});

/** A playlist as served, but for its tags. Its URLs are absolute: the server leaves alone what the author wrote of segments that are not its own. */
async function withTags(scene: Stage, tag: string): Promise<string> {
  const playlist = await (await fetch(scene.urlOf('lesson/v1/index.m3u8'))).text();
  const tags = new RegExp(`^#${DIGEST_TAG}:.*$`, 'gm');
  return playlist
    .replaceAll(tags, `#${DIGEST_TAG}:${tag}`)
    .replaceAll(/^segment-/gm, scene.urlOf('lesson/v1/segment-'));
}

/** Each once, in any order, and nothing else. */
function assertSaid({ warnings }: Person, expected: readonly RegExp[]): void {
  assert.equal(warnings.length, expected.length, warnings.join('\n'));
  for (const pattern of expected)
    assert.equal(
      warnings.filter((line) => pattern.test(line)).length,
      1,
      `${String(pattern)} in:\n${warnings.join('\n')}`,
    );
}
