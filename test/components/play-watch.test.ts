import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { PlayWatch } from '../../components/play-watch.ts';
import type { MeshFace } from '../../mesh/index.ts';
import type { Played } from '../../protocol/page.ts';

/** A watch on a clock of the test's own; `at(ms, event)` has the media element fire it then. */
function watched(t: TestContext, { preload = 'auto', hidden = false } = {}) {
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  const page = { hidden };
  Object.defineProperty(globalThis, 'document', { value: page, configurable: true });
  t.after(() => Reflect.deleteProperty(globalThis, 'document'));
  const seen: Played[] = [];
  const mesh = { played: (told: Played) => seen.push(told) } as unknown as MeshFace;
  const watch = new PlayWatch({ preload } as HTMLMediaElement, () => mesh);
  const at = (milliseconds: number, ...types: string[]): void => {
    now = milliseconds;
    for (const type of types) watch.take(type);
  };
  const begin = (milliseconds = 0): void => {
    now = milliseconds;
    watch.begin();
  };
  return { at, begin, seen, page };
}

test('the first frame of each source is told, from its beginning', (t) => {
  const { at, begin, seen } = watched(t);
  begin(100);
  at(150, 'loadstart', 'loadedmetadata');
  at(500.4, 'loadeddata', 'canplay');
  at(600, 'loadeddata');
  at(700, 'emptied');
  begin(1000);
  at(1200, 'loadeddata');
  assert.deepEqual(seen, [{ firstFrame: 400 }, { firstFrame: 200 }]);
});

test('where nothing is loaded before play() the wait begins with that', (t) => {
  const { at, begin, seen } = watched(t, { preload: 'none' });
  begin(0);
  at(60_000, 'play');
  at(60_300, 'loadeddata');
  assert.deepEqual(seen, [{ firstFrame: 300 }]);
});

test('in a tab that nobody sees there is no first frame', (t) => {
  const { at, begin, seen, page } = watched(t, { hidden: true });
  begin(0);
  page.hidden = false;
  at(9000, 'loadeddata');
  begin(10_000);
  page.hidden = true;
  at(20_000, 'loadeddata');
  assert.deepEqual(seen, []);
});

test('a stall counts when it begins, and its time when it ends', (t) => {
  const { at, begin, seen } = watched(t);
  begin(0);
  at(100, 'loadeddata', 'waiting', 'playing'); // to begin with it waits, too
  seen.length = 0;
  at(2000, 'waiting', 'waiting');
  assert.deepEqual(seen, [{ stalls: 1 }]);
  at(3500, 'playing');
  at(9000, 'waiting');
  at(9100, 'pause');
  assert.deepEqual(seen, [{ stalls: 1 }, { stalled: 1500 }, { stalls: 1 }, { stalled: 100 }]);
});

test('to wait after a seek, or while paused, is no stall', (t) => {
  const { at, begin, seen } = watched(t);
  begin(0);
  at(100, 'loadeddata', 'playing');
  seen.length = 0;
  at(1000, 'seeking', 'waiting');
  at(3000, 'seeked', 'playing');
  at(4000, 'pause');
  at(5000, 'play', 'waiting');
  at(6000, 'playing');
  at(7000, 'ended', 'waiting');
  assert.deepEqual(seen, []);
});
