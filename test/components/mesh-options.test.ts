import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readMeshOptions } from '../../components/mesh-options.ts';

const quiet = (attributes: Parameters<typeof readMeshOptions>[0], connection = {}) => {
  const { options, warnings } = readMeshOptions(attributes, connection);
  assert.deepEqual(warnings, []);
  return options;
};

test('no attributes: nothing is said, so all defaults hold', () => {
  assert.deepEqual(quiet({}), {});
});

test('URLs are handed on as they are, absolute or relative', () => {
  assert.deepEqual(
    quiet({ signal: 'https://mesh.example', manifest: 'assets/p2p-manifest.json', worker: '/sub/p2p-sw.js' }),
    {
      signal: 'https://mesh.example',
      manifest: 'assets/p2p-manifest.json',
      worker: '/sub/p2p-sw.js',
    },
  );
});

test('"none" switches manifest and worker off', () => {
  assert.deepEqual(quiet({ manifest: 'none', worker: 'none' }), { manifest: 'none', worker: 'none' });
});

test('a signaling URL that is not http(s) warns with the fix and is left out', () => {
  for (const signal of ['', 'wss://mesh.example', 'http://', 'javascript:alert(1)']) {
    const { options, warnings } = readMeshOptions({ signal });
    assert.deepEqual(options, {}, signal);
    assert.equal(warnings.length, 1, signal);
    assert.match(
      warnings[0] ?? '',
      /<p2p-mesh signal=.*expected an http\(s\) URL\. For now the page's own server is used/,
    );
  }
});

test('a manifest or worker that is no URL warns and is left out', () => {
  const { options, warnings } = readMeshOptions({ manifest: 'data:,x', worker: 'blob:x' });
  assert.deepEqual(options, {});
  assert.match(warnings[0] ?? '', /manifest="data:,x".*\/p2p-manifest\.json is used/);
  assert.match(warnings[1] ?? '', /worker="blob:x".*\/p2p-sw\.js is used/);
});

test('upload: on and off', () => {
  assert.deepEqual(quiet({ upload: 'on' }), { upload: true });
  assert.deepEqual(quiet({ upload: 'off' }), { upload: false });
});

test('upload="wifi" hands out unless the browser knows the line to be metered', () => {
  assert.deepEqual(quiet({ upload: 'wifi' }, {}), { upload: true });
  assert.deepEqual(quiet({ upload: 'wifi' }, { type: 'wifi' }), { upload: true });
  assert.deepEqual(quiet({ upload: 'wifi' }, { type: 'cellular' }), { upload: false });
  assert.deepEqual(quiet({ upload: 'wifi' }, { type: 'wifi', saveData: true }), { upload: false });
});

test('an unknown upload value warns and counts as the default', () => {
  const { options, warnings } = readMeshOptions({ upload: 'yes' });
  assert.deepEqual(options, {});
  assert.match(warnings[0] ?? '', /<p2p-mesh upload="yes"> is not understood: expected "on", "wifi" or "off"/);
});

test('max-upload is read in bits per second', () => {
  for (const [text, rate] of [
    ['5mbps', 5e6],
    ['800kbps', 8e5],
    ['1.5Mbps', 1.5e6],
    ['64000bps', 64000],
    [' 1 gbps ', 1e9],
  ] as const) {
    assert.deepEqual(quiet({ 'max-upload': text }), { maxUpload: rate }, text);
  }
});

test('a max-upload that is no rate warns and leaves upload uncapped', () => {
  for (const text of ['', '5', '5mb', '5MB/s', '-1mbps', '0bps', '1e3kbps', '99999999999mbps']) {
    const { options, warnings } = readMeshOptions({ 'max-upload': text });
    assert.deepEqual(options, {}, text);
    assert.match(warnings[0] ?? '', /such as "5mbps" or "800kbps"/, text);
  }
});

test('max-storage is read in bytes', () => {
  for (const [text, bytes] of [
    ['200mb', 200e6],
    ['1gb', 1e9],
    ['1.5 GB', 1.5e9],
    ['800kb', 8e5],
    [' 64000b ', 64000],
    ['0mb', 0],
  ] as const) {
    assert.deepEqual(quiet({ 'max-storage': text }), { maxStorage: bytes }, text);
  }
});

test('max-storage="none", and "0", keep nothing on the disk', () => {
  for (const text of ['none', ' none ', '0']) assert.deepEqual(quiet({ 'max-storage': text }), { maxStorage: 0 }, text);
});

test('a max-storage that is no size warns with the fix and leaves the default', () => {
  for (const text of ['', '200', '200mbps', '-1mb', '1e3kb', '99999999999mb', 'mb', 'off', '5mb 5mb']) {
    const { options, warnings } = readMeshOptions({ 'max-storage': text });
    assert.deepEqual(options, {}, text);
    assert.match(warnings[0] ?? '', /expected bytes, such as "200mb" or "1gb", or "none"\. For now up to 2 GiB/, text);
  }
});

test('consent="required" waits; an unknown value errs on the side of asking, with a warning', () => {
  assert.deepEqual(quiet({ consent: 'required' }), { consentRequired: true });
  const { options, warnings } = readMeshOptions({ consent: 'please' });
  assert.deepEqual(options, { consentRequired: true });
  assert.match(warnings[0] ?? '', /expected "required"\. For now it counts as that/);
});

test('ice-transport="relay" hides addresses; an unknown value errs on that side, with a warning', () => {
  assert.deepEqual(quiet({ 'ice-transport': 'relay' }), { iceTransport: 'relay' });
  assert.deepEqual(quiet({ 'ice-transport': 'all' }), {});
  const { options, warnings } = readMeshOptions({ 'ice-transport': 'turn' });
  assert.deepEqual(options, { iceTransport: 'relay' });
  assert.match(warnings[0] ?? '', /expected "relay" or "all"\. For now it counts as "relay"/);
});

test('a long value is cut in the message', () => {
  const { warnings } = readMeshOptions({ upload: 'x'.repeat(5000) });
  assert.ok((warnings[0] ?? '').length < 300);
});
