import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { iceURLs, origins, port, turnTTL } from '../../../server/cli/flag-values.ts';
import { iceOf, type IceFlags } from '../../../server/cli/ice-servers.ts';
import { listenError, StartError } from '../../../server/cli/listen-error.ts';
import { manifestLines } from '../../../server/cli/manifest-command.ts';
import { serveCommand } from '../../../server/cli/serve-command.ts';
import { turnCredential } from '../../../server/ice.ts';
import { TURN_TTL_SECONDS } from '../../../server/limits.ts';
import { folderOf, until } from '../support.ts';

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
  const ice = (flags: IceFlags) => iceOf(flags)('a');
  assert.deepEqual(ice({}), { iceServers: [] });
  assert.deepEqual(ice({ stun: ['stun:a'] }), { iceServers: [{ urls: ['stun:a'] }] });
  const turn = { turn: ['turn:a'], turnUsername: 'u', turnCredential: 'c' };
  assert.deepEqual(ice({ stun: ['stun:a'], ...turn }), {
    iceServers: [{ urls: ['stun:a'] }, { urls: ['turn:a'], username: 'u', credential: 'c' }],
  });
  for (const flags of [{ turn: ['turn:a'] }, { turnUsername: 'u' }, { turn: ['turn:a'], turnUsername: 'u' }])
    assert.throws(() => iceOf(flags), { code: 'bad-flag', message: /--turn-secret-file.*--turn-credential/ });
});

test('credentials that expire are made with the secret as the file has it now', async (t) => {
  const turnSecretFile = join(await folderOf(t, { secret: 'the first secret\n' }), 'secret');
  const ice = iceOf({ stun: ['stun:a'], turn: ['turn:a'], turnSecretFile });
  const { iceServers, iceTTL } = ice('viewer');
  assert.equal(iceTTL, TURN_TTL_SECONDS);
  const expires = Number(iceServers[1]?.username?.split(':')[0]);
  assert.ok(Math.abs(expires - Date.now() / 1000 - TURN_TTL_SECONDS) < 60, `${expires}`);
  const turn = { urls: ['turn:a'], ...turnCredential('the first secret', expires, 'viewer') };
  assert.deepEqual(iceServers, [{ urls: ['stun:a'] }, turn]);
  assert.equal(iceOf({ turn: ['turn:a'], turnSecretFile, turnTtl: 300 })('viewer').iceTTL, 300);
  await writeFile(turnSecretFile, 'the second secret\n');
  await until('the new secret is used', () => {
    const { username = '', credential } = ice('viewer').iceServers[1] ?? {};
    return turnCredential('the second secret', Number(username.split(':')[0]), 'viewer').credential === credential;
  });
});

test('a secret goes with --turn, not with a pair for everybody; a time to live goes with a secret', async (t) => {
  const folder = await folderOf(t, { secret: 'the first secret', short: 'secret' });
  const turnSecretFile = join(folder, 'secret');
  const turn = ['turn:a'];
  for (const [flags, message] of [
    [{ turnSecretFile }, /Expected --turn with --turn-secret-file/],
    [{ turn, turnSecretFile, turnUsername: 'u' }, /either --turn-secret-file or --turn-username/],
    [{ turn, turnSecretFile, turnCredential: 'c' }, /either --turn-secret-file or --turn-username/],
    [{ turn, turnUsername: 'u', turnCredential: 'c', turnTtl: 300 }, /--turn-ttl with --turn-secret-file alone/],
    [{ turnTtl: 300 }, /--turn-ttl with --turn-secret-file alone/],
    [{ turn, turnSecretFile: join(folder, 'none') }, /--turn-secret-file, but .*ENOENT/],
    [{ turn, turnSecretFile: join(folder, 'short') }, /one line of at least 16 characters/],
  ] as const)
    assert.throws(() => iceOf(flags), { code: 'bad-flag', message });
});

test('a time to live is a number of seconds from a minute to a day', () => {
  assert.deepEqual(['60', '3600', '86400'].map(turnTTL), [60, 3600, 86_400]);
  for (const text of ['', '0', '59', '86401', '1h', '-60', '6e1', '60.5'])
    assert.throws(() => turnTTL(text), /from 60 to 86400/, text);
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

test('no flag of "serve" takes an empty value, as a variable has that was never filled in', async () => {
  const { options } = serveCommand(() => undefined);
  const withValue = options.filter((option) => !option.isBoolean());
  assert.ok(withValue.length > 30);
  for (const { long, envVar = '' } of withValue) {
    const command = serveCommand(() => undefined).exitOverride();
    command.configureOutput({ writeErr: () => undefined }).action(() => undefined);
    await assert.rejects(command.parseAsync([`${long}=`], { from: 'user' }), /is invalid/, long);
    process.env[envVar] = ' ';
    await assert.rejects(command.parseAsync([], { from: 'user' }), new RegExp(envVar), envVar).finally(() => {
      Reflect.deleteProperty(process.env, envVar);
    });
  }
});
