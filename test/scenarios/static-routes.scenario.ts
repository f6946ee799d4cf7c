/** Requests that can't be shared start no service worker: issue C, D3. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from '../harness/until.ts';
import { person } from './support/person.ts';
import { KIT, stage } from './support/stage.ts';
import { inPage } from './support/viewer.ts';

test('a request that no manifest could list does not start the service worker; one that it could, does', async (t) => {
  const [scene, viewer] = await Promise.all([stage(t), person(t)]);
  const { page } = viewer;
  const elsewhere = await stage(t);
  await page.goto(await scene.page('plain', `${KIT}\n<p2p-mesh></p2p-mesh>`));
  await until('the service worker in control', () => inPage(page, () => navigator.serviceWorker.controller !== null));
  await until('its list', () => inPage(page, () => caches.has('p2p-elements')));
  // A page without the kit: nobody but the test asks for anything there.
  await page.goto(await scene.page('bare', ''));
  const session = await viewer.chromium.context.newCDPSession(page);
  const states: string[] = [];
  session.on('ServiceWorker.workerVersionUpdated', ({ versions }) => {
    for (const { runningStatus } of versions) if (runningStatus !== states.at(-1)) states.push(runningStatus);
  });
  await session.send('ServiceWorker.enable');
  const starts = async (what: string, request: () => Promise<unknown>): Promise<boolean> => {
    await until(`a stopped worker before ${what}`, async () => {
      if (states.at(-1) === 'stopped') return true;
      await session.send('ServiceWorker.stopAllWorkers');
      return false;
    });
    states.length = 0;
    states.push('stopped');
    await request();
    // Events come in order: whatever the request started was told before this one is answered.
    await session.send('ServiceWorker.setForceUpdateOnPageLoad', { forceUpdateOnPageLoad: false });
    return states.length > 1;
  };
  const get =
    (url: string, method = 'GET') =>
    () =>
      inPage(page, ({ url, method }) => fetch(url, { method }).then((answer) => answer.arrayBuffer()), { url, method });
  const show = (url: string) => () =>
    inPage(page, (url) => Object.assign(document.createElement('img'), { src: url }).decode(), url);
  const seen = {
    listed: await starts('a listed file', get('/media/map.png')),
    server: await starts('the server’s own', get('/p2p/ice')),
    post: await starts('a POST', get('/media/map.png', 'POST')),
    elsewhere: await starts('another web origin', show(elsewhere.urlOf('map.png'))),
    byCors: await starts('another web origin by CORS', get(elsewhere.urlOf('map.png'))),
    unlisted: await starts('an unlisted file', get('/healthz')),
  };
  assert.deepEqual(seen, { listed: true, server: false, post: false, elsewhere: false, byCors: true, unlisted: true });
});
