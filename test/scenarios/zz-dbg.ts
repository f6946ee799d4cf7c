import test from 'node:test';
import { person } from './support/person.ts';
import { KIT, stage } from './support/stage.ts';
import { imagesShown, meshStats, playedToEnd, playFaster } from './support/viewer.ts';
import { launchFirefox } from '../harness/browsers.ts';
const LESSON = `${KIT}
<script>localStorage.setItem('debug','p2p:*')</script>
<p2p-img src="/media/map.png"></p2p-img>
<p2p-img src="/media/animation.gif"></p2p-img>
<p2p-video src="/media/lesson/v2/index.m3u8" muted autoplay></p2p-video>`;
test('dbg', async (t) => {
  const before = () => { Object.defineProperty(RTCSctpTransport.prototype, 'maxMessageSize', { get: () => 16 * 1024 }); };
  const [scene, a] = await Promise.all([stage(t), process.env['FF'] ? launchFirefox() : person(t, { before })]);
  if (process.env['FF']) t.after(() => (a as any).close());
  const url = await scene.page('lesson', LESSON);
  const ap = process.env['FF'] ? await (a as any).browser.newPage() : (a as any).page;
  await ap.goto(url); await playFaster(ap, 8); await playedToEnd(ap);
  for (let i = 0; i < 6; i++) {
    const b = await person(t, { before });
    const lines: string[] = [];
    const t0 = performance.now();
    b.page.on('console', (m) => lines.push(`${(performance.now() - t0).toFixed(0)} ${m.text().slice(0, 150)}`));
    scene.proxy.reset();
    await b.goto(url); await playFaster(b.page, 8); await imagesShown(b.page); await playedToEnd(b.page);
    const got = scene.proxy.bytes(/\.(ts|png|gif)$/);
    console.log(i, got, JSON.stringify((await meshStats(b.page)).bytes));
    if (got > 0) console.log(lines.join('\n'));
    await b.chromium.close();
  }
});
