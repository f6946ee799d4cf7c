import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MANIFEST_RETRIES, RETRY_MAX_MS } from '../../../components/hls/limits.ts';
import { decideRecovery, type FatalError } from '../../../components/hls/recovery.ts';

const NEW = { networkErrors: 0, sinceMediaRecovery: Infinity };
const segment = (status: number): FatalError => ({ kind: 'network', manifest: false, status });
const manifest = (status: number): FatalError => ({ kind: 'network', manifest: true, status });

test('an origin without an answer is tried again for as long as the element lives, ever less often', () => {
  const waits = [0, 1, 2, 3, 4, 50].map((networkErrors) => decideRecovery(segment(0), { ...NEW, networkErrors }));
  assert.deepEqual(
    waits.map((recovery) => (recovery.do === 'load-again' ? recovery.afterMs : null)),
    [1000, 2000, 4000, RETRY_MAX_MS, RETRY_MAX_MS, RETRY_MAX_MS],
  );
});

test('a server in trouble is tried again, too', () => {
  assert.equal(decideRecovery(segment(503), { ...NEW, networkErrors: 20 }).do, 'load-again');
});

test('a segment that the origin refuses is asked for once more, then it is an error', () => {
  assert.equal(decideRecovery(segment(404), NEW).do, 'load-again');
  assert.deepEqual(decideRecovery(segment(404), { ...NEW, networkErrors: 1 }), { do: 'give-up' });
});

test('a stream that is not there is an error at once', () => {
  assert.deepEqual(decideRecovery(manifest(404), NEW), { do: 'give-up' });
});

test('a stream whose origin is unreachable is an error after a few tries', () => {
  assert.equal(decideRecovery(manifest(0), NEW).do, 'load-again');
  assert.equal(decideRecovery(manifest(0), { ...NEW, networkErrors: MANIFEST_RETRIES }).do, 'give-up');
});

test('a media error is recovered from once, and again only when that was long ago', () => {
  const media: FatalError = { kind: 'media', manifest: false, status: 0 };
  assert.deepEqual(decideRecovery(media, NEW), { do: 'recover-media' });
  assert.deepEqual(decideRecovery(media, { ...NEW, sinceMediaRecovery: 1000 }), { do: 'give-up' });
  assert.deepEqual(decideRecovery(media, { ...NEW, sinceMediaRecovery: 60_000 }), { do: 'recover-media' });
});

test('what is neither network nor media is an error', () => {
  assert.deepEqual(decideRecovery({ kind: 'other', manifest: false, status: 0 }, NEW), { do: 'give-up' });
});
