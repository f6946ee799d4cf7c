import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { linkServiceWorker } from '../../../mesh/page/service-worker-link.ts';
import type { P2PError } from '../../../protocol/error.ts';

const LATEST_MS = 15_000;

/** A page whose load never ends unless the test says so. */
function link(t: TestContext, register = (): Promise<unknown> => Promise.resolve()) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const scripts: string[] = [];
  const warnings: P2PError[] = [];
  const quiet: (() => void)[] = [];
  const seen: string[] = [];
  const container = Object.assign(new EventTarget(), {
    controller: null,
    startMessages: () => undefined,
    register: (script: string) => (scripts.push(script), register()),
  });
  Object.defineProperty(globalThis, 'navigator', { value: { serviceWorker: container }, configurable: true });
  t.after(() => Reflect.deleteProperty(globalThis, 'navigator'));
  const scope = new AbortController();
  linkServiceWorker({
    script: '/p2p-sw.js',
    unverified: false,
    givePort: () => undefined,
    seen: (urls) => seen.push(...urls),
    whenQuiet: (then) => quiet.push(then),
    warn: (error) => warnings.push(error),
    signal: scope.signal,
  });
  return { scripts, warnings, seen, container, scope, becomeQuiet: () => quiet.splice(0).forEach((then) => then()) };
}

test('the service worker is registered a while after the page has fallen quiet, once', (t) => {
  const { scripts, becomeQuiet } = link(t);
  t.mock.timers.tick(5000);
  assert.deepEqual(scripts, []);
  becomeQuiet();
  assert.deepEqual(scripts, []);
  t.mock.timers.tick(5000);
  assert.deepEqual(scripts, ['/p2p-sw.js']);
  t.mock.timers.tick(LATEST_MS);
  assert.equal(scripts.length, 1);
});

test('a page that never falls quiet gets one all the same', (t) => {
  const { scripts } = link(t);
  t.mock.timers.tick(LATEST_MS - 1);
  assert.deepEqual(scripts, []);
  t.mock.timers.tick(1);
  assert.deepEqual(scripts, ['/p2p-sw.js']);
});

test('after the mesh was left none is registered', (t) => {
  const { scripts, scope } = link(t);
  scope.abort();
  t.mock.timers.tick(LATEST_MS);
  assert.deepEqual(scripts, []);
});

test('one that can not be registered is warned of, with what to do', async (t) => {
  const { warnings } = link(t, () => Promise.reject(new Error('404')));
  t.mock.timers.tick(LATEST_MS);
  await Promise.resolve();
  await Promise.resolve();
  assert.deepEqual(
    warnings.map(({ code }) => code),
    ['worker-unavailable'],
  );
  assert.match(warnings[0]!.message, /p2p-sw\.js .*<p2p-mesh worker/s);
});

test('what a page has loaded before there was a service worker is told, films aside', (t) => {
  const entries = ['script', 'css', 'img', 'video', 'audio'].map((initiatorType) => ({
    initiatorType,
    name: `https://school.test/${initiatorType}`,
  }));
  t.mock.method(performance, 'getEntriesByType', () => entries);
  const { seen } = link(t);
  t.mock.timers.tick(LATEST_MS);
  assert.deepEqual(seen, ['https://school.test/script', 'https://school.test/css', 'https://school.test/img']);
});

test('where there was one, nothing needs to be told', (t) => {
  t.mock.method(performance, 'getEntriesByType', () => [{ initiatorType: 'img', name: 'x' }]);
  const { seen, container } = link(t);
  Object.assign(container, { controller: {} });
  t.mock.timers.tick(LATEST_MS);
  assert.deepEqual(seen, []);
});
