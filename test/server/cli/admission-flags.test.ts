import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Command } from 'commander';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { addAdmissionFlags, admissionOf, type AdmissionFlags } from '../../../server/cli/admission-flags.ts';
import { amount, duration } from '../../../server/cli/flag-values.ts';
import { makeToken, tokenCommand } from '../../../server/cli/token-command.ts';
import { checkTokens, type CheckToken, type TokenKeys } from '../../../server/admission/token-check.ts';
import { DEFAULT_LIMITS } from '../../../server/admission/limits.ts';
import { FILE_CHECK_MS } from '../../../server/limits.ts';
import type { Logger } from '../../../server/log.ts';
import { until } from '../../harness/until.ts';
import { folderOf } from '../support.ts';

const SECRET = '0123456789abcdef0123456789abcdef';

function parse(...args: string[]): AdmissionFlags {
  const command = addAdmissionFlags(new Command())
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  return command.parse(args, { from: 'user' }).opts<AdmissionFlags>();
}

const files = async (t: TestContext, content: Record<string, string>) => {
  const folder = await folderOf(t, content);
  return (name: string): string => join(folder, name);
};

test('without flags all may join, with the documented limits', () => {
  assert.deepEqual(admissionOf(parse()), { origins: '*', limits: DEFAULT_LIMITS });
});

test('each flag sets its limit, and each has an environment variable', () => {
  const names = [
    'connections',
    'connections-per-address',
    'connections-per-site',
    'connects-per-address',
    'joins',
    'signals',
    'claims',
    'bytes',
    'message-bytes',
  ];
  const args = names.flatMap((name, index) => [`--max-${name}`, String(100_000 + index)]);
  const { limits } = admissionOf(parse(...args, '--join-timeout', '7'));
  assert.deepEqual(Object.values(limits ?? {}), [...names.map((_, index) => 100_000 + index), 7]);
  const variables = addAdmissionFlags(new Command()).options.map(({ envVar }) => envVar);
  assert.ok(variables.includes('P2P_MAX_CONNECTS_PER_ADDRESS') && variables.includes('P2P_AUTH_SECRET_FILE'));
  assert.ok(
    variables.every((name) => /^P2P_[A-Z_]+$/.test(name ?? '')),
    String(variables),
  );
});

test('origins', () => {
  assert.deepEqual(admissionOf(parse('--origins', 'https://a.example')).origins, ['https://a.example']);
  assert.throws(() => parse('--origins', 'a.example'), /Expected \* or origins/);
});

test('limits that are none are refused', () => {
  for (const args of [
    ['--max-joins', '0'],
    ['--max-connections', '-1'],
    ['--max-bytes', 'many'],
    ['--max-message-bytes', '100'],
    ['--join-timeout', '0.5'],
  ])
    assert.throws(() => parse(...args), /Expected a number from/, args.join(' '));
});

test('a secret is read without the line break at its end, and must be long enough', async (t) => {
  const at = await files(t, { secret: `${SECRET}\n`, short: 'short\n' });
  const { tokens } = admissionOf(parse('--auth-secret-file', at('secret')));
  assert.deepEqual(valueOf(tokens, 'secret'), [new TextEncoder().encode(SECRET)]);
  const wrong: [string, RegExp][] = [
    [at('short'), /at least 32 bytes.*not 5.*openssl rand/],
    [at('missing'), /--auth-secret-file, but .*missing can't be read \(ENOENT\)/],
    [at(''), /--auth-secret-file, but .* is no file/],
  ];
  for (const [path, expected] of wrong)
    assert.throws(() => admissionOf(parse('--auth-secret-file', path)), { code: 'bad-flag', message: expected });
});

test('a key set is a file or a URL, but none that anybody on the way could change', async (t) => {
  const at = await files(t, { keys: '{"keys":[{"kty":"EC"}]}', empty: '{"keys":[]}', text: 'x', secret: SECRET });
  const jwks = (place: string) => admissionOf(parse('--auth-jwks', place)).tokens;
  assert.deepEqual(valueOf(jwks(at('keys')), 'jwks'), { keys: [{ kty: 'EC' }] });
  assert.deepEqual(jwks('https://id.example/keys'), { jwks: new URL('https://id.example/keys') });
  assert.deepEqual(jwks('http://127.0.0.1:9/keys'), { jwks: new URL('http://127.0.0.1:9/keys') });
  for (const place of ['http://id.example/keys', at('empty'), at('text'), at('missing')])
    assert.throws(() => jwks(place), { code: 'bad-flag' }, place);
  assert.throws(() => admissionOf(parse('--auth-jwks', at('keys'), '--auth-secret-file', at('secret'))), /not both/);
});

test('a secret or a key set that is changed counts without a restart; one that is wrong changes nothing', async (t) => {
  const pairs = await Promise.all([0, 1].map(() => generateKeyPair('EdDSA', { extractable: true })));
  const [before, after] = await Promise.all(
    pairs.map(async ({ publicKey }) => JSON.stringify({ keys: [await exportJWK(publicKey)] })),
  );
  const at = await files(t, { secret: SECRET, keys: before! });
  const complaints: unknown[] = [];
  const log = { info: () => undefined, error: (facts: unknown) => complaints.push(facts) } as unknown as Logger;
  const keysOf = (...args: string[]): CheckToken => checkTokens(admissionOf(parse(...args), log).tokens!);
  const bySecret = keysOf('--auth-secret-file', at('secret'));
  const byKeys = keysOf('--auth-jwks', at('keys'));
  const ofSecret = (): Promise<string> =>
    makeToken({ authSecretFile: at('secret'), swarms: ['x'], subject: 'a', expires: 60 }, Date.now());
  const ofKey = (index: number): Promise<string> =>
    new SignJWT({ swarms: ['x'], sub: 'a', exp: Math.ceil(Date.now() / 1000) + 60 })
      .setProtectedHeader({ alg: 'EdDSA' })
      .sign(pairs[index]!.privateKey);
  const old = await ofSecret();
  const opens = async (): Promise<boolean[]> =>
    (await Promise.all([bySecret(old), byKeys(await ofKey(0)), byKeys(await ofKey(1))])).map(({ ok }) => ok);
  assert.deepEqual(await opens(), [true, true, false]);
  await writeFile(at('secret'), `${SECRET} new\n${SECRET}\n`);
  await until('new and old', async () => (await bySecret(await ofSecret())).ok, { timeout: 10 * FILE_CHECK_MS });
  assert.deepEqual(await opens(), [true, true, false]);
  await writeFile(at('secret'), `${SECRET} new\n`);
  await writeFile(at('keys'), after!);
  const patient = { timeout: 10 * FILE_CHECK_MS };
  await until('the new ones', async () => (await opens()).join() === 'false,false,true', patient);
  const fresh = await ofSecret();
  await writeFile(at('secret'), 'short');
  await until('a complaint', () => complaints.length === 1, patient);
  assert.equal((await bySecret(fresh)).ok, true);
});

test('a token that is printed is one that the server takes', async (t) => {
  const at = await files(t, { secret: SECRET });
  const printed: string[] = [];
  await tokenCommand((line) => printed.push(line)).parseAsync(
    [
      '--auth-secret-file',
      at('secret'),
      '--swarms',
      'https://a.example*',
      'b',
      '--subject',
      'anna',
      '--expires',
      '15m',
      '--peers',
      '2',
    ],
    { from: 'user' },
  );
  const checked = await checkTokens({ secret: new TextEncoder().encode(SECRET) })(printed[0] ?? '');
  assert.ok(checked.ok);
  const { expires, ...rest } = checked.grant;
  assert.deepEqual(rest, { subject: 'anna', swarms: ['https://a.example*', 'b'], peers: 2 });
  assert.ok(Math.abs(expires - Date.now() - 900_000) < 10_000);
});

test('a token that the server would not take is not made', async (t) => {
  const at = await files(t, { secret: SECRET });
  const claims = { authSecretFile: at('secret'), swarms: ['x'], subject: 'a', expires: 60 };
  await assert.rejects(makeToken({ ...claims, swarms: ['*'.repeat(9)] }, 0), { code: 'bad-flag' });
  await assert.rejects(makeToken({ ...claims, subject: '' }, 0), { code: 'bad-flag' });
});

test('amounts and times are read, and nothing like them', () => {
  assert.deepEqual([amount(0.1)('0.5'), amount(1)('20')], [0.5, 20]);
  for (const text of ['', '-1', '1e9', '0x10', 'NaN', '1.'])
    assert.throws(() => amount(0)(text), /number from 0/, text);
  assert.deepEqual(['90s', '15m', '1h', '7d'].map(duration), [90, 900, 3600, 604_800]);
  for (const text of ['', '1', '0h', '-1h', '1.5h', '1w', '1h30m'])
    assert.throws(() => duration(text), /Expected a time/, text);
});

/** What counts now. */
function valueOf(keys: TokenKeys | undefined, name: 'secret' | 'jwks'): unknown {
  const value = (keys as Readonly<Record<string, unknown>>)[name];
  return typeof value === 'function' ? (value as () => unknown)() : value;
}
