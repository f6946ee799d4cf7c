import assert from 'node:assert/strict';
import { test } from 'node:test';
import { iceURLs, origins, port } from '../../../server/cli/flag-values.ts';
import { iceServersOf } from '../../../server/cli/ice-servers.ts';
import { listenError, StartError } from '../../../server/cli/listen-error.ts';
import { manifestLines } from '../../../server/cli/manifest-command.ts';

test('a port is a number from 0 to 65535', () => {
  assert.deepEqual(['0', '8080', '65535'].map(port), [0, 8080, 65_535]);
  for (const text of ['', '-1', '65536', '80.5', '0x50', '8080 ', 'http', '1e3'])
    assert.throws(() => port(text), /from 0 to 65535/, text);
});

test('origins are * or a list without paths', () => {
  assert.equal(origins('*'), '*');
  assert.deepEqual(origins('https://a.example, http://b.example:8080'), ['https://a.example', 'http://b.example:8080']);
  for (const text of [
    '',
    'a.example',
    'https://a.example/',
    'https://a.example/x',
    'ftp://a.example',
    'https://a.example,*',
    'null',
  ])
    assert.throws(() => origins(text), /Expected \* or origins/, text);
});

test('STUN and TURN URLs are collected over flags and within one value', () => {
  const stun = iceURLs('stun');
  assert.deepEqual(stun('stun:b:3478 stuns:c', stun('stun:a', undefined)), ['stun:a', 'stun:b:3478', 'stuns:c']);
  assert.deepEqual(iceURLs('turn')('turn:a:3478?transport=udp', undefined), ['turn:a:3478?transport=udp']);
  for (const text of ['', 'a.example', 'turn:a', 'stun://a', 'https://a', 'stun:'])
    assert.throws(() => stun(text, undefined), /Expected stun:host/, text);
});

test('TURN needs its username and credential, and they need it', () => {
  assert.deepEqual(iceServersOf({}), []);
  assert.deepEqual(iceServersOf({ stun: ['stun:a'] }), [{ urls: ['stun:a'] }]);
  const turn = { turn: ['turn:a'], turnUsername: 'u', turnCredential: 'c' };
  assert.deepEqual(iceServersOf({ stun: ['stun:a'], ...turn }), [
    { urls: ['stun:a'] },
    { urls: ['turn:a'], username: 'u', credential: 'c' },
  ]);
  for (const flags of [{ turn: ['turn:a'] }, { turnUsername: 'u' }, { turn: ['turn:a'], turnUsername: 'u' }])
    assert.throws(() => iceServersOf(flags), { code: 'bad-flag' });
});

test('errors of listening say what to do', () => {
  const said = (code: string, host?: string): string => {
    const error = listenError(Object.assign(new Error(code), { code }), 8080, host);
    assert.ok(error instanceof StartError);
    return error.message;
  };
  assert.match(said('EADDRINUSE'), /Port 8080 is taken.*--port 8081/);
  assert.match(said('EACCES'), /not allowed.*--port/);
  assert.match(said('EADDRNOTAVAIL', '192.0.2.9'), /192\.0\.2\.9 is not an address of this machine/);
  const other = new Error('other');
  assert.equal(listenError(other, 1, undefined), other);
});

test('the manifest command says one line for each kind of thing', () => {
  assert.deepEqual(manifestLines('d', { files: 2, playlists: 1, tagged: 0, leaves: 3, removed: 0, leftOut: [] }), [
    'd/p2p-manifest.json: 2 files and 1 playlists',
    'd/p2p/leaves/: the block hashes of 3 assets',
  ]);
  const all = manifestLines('d', {
    files: 0,
    playlists: 0,
    tagged: 2,
    leaves: 0,
    removed: 4,
    leftOut: ['1', '2', '3', '4', '5', '6'],
  });
  assert.match(all[1] ?? '', /^2 playlists .*tags$/);
  assert.match(all[3] ?? '', /^4 .*removed$/);
  assert.match(all[4] ?? '', /^6 files left out.*1, 2, 3, 4, 5, …$/);
});
