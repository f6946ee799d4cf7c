/** What docs/operating.md says beside its commands, which docs.test.ts tries. */
import assert from 'node:assert/strict';
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, symlink, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { join } from 'node:path';
import test from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { MAX_SWARMS } from '../../protocol/limits.ts';
import { CLAIM_BURST, DEFAULT_LIMITS, JOIN_BURST, SIGNAL_BURST } from '../../server/admission/limits.ts';
import { NODE_DEAD_MS, REDIS_ANSWER_MS } from '../../server/limits.ts';
import { KEY_PREFIX } from '../../server/redis/keys.ts';
import { serveCommand } from '../../server/cli/serve-command.ts';
import { tokenCommand } from '../../server/cli/token-command.ts';
import { deployed, exampleConfig, unknownFlags, unknownVariables } from '../deploy/support.ts';
import { freePort } from '../harness/free-port.ts';
import { FIXTURE_MEDIA, ROOT, serve } from '../harness/serve.ts';
import { until } from '../harness/until.ts';
import { connect } from '../server/support.ts';
import { selfSigned } from '../harness/certificate.ts';
import { sandbox, TRIES } from './operating-commands.ts';

const run = promisify(execFile);
const page = await readFile(`${ROOT}docs/operating.md`, 'utf8');

const blocks = (language: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm'))].map(([, block]) => block!);

/** Flags that are not ours. */
const OF_OTHERS = [
  '--help',
  '--save',
  '--appendonly',
  '--runs',
  '--signals',
  '--import',
  '--prefix',
  '--omit',
  '--now',
  '--retry',
  '--retry-connrefused',
  '--no-deps',
  '--build',
];

test('each way to try a command is the way of one', () => {
  const commands = blocks('sh').flatMap((block) => block.trim().split('\n'));
  for (const [form] of TRIES)
    assert.ok(
      commands.some((command) => form.test(command)),
      String(form),
    );
});

test('every flag and variable that it names is there', () => {
  const words = [...new Set(page.match(/(?<![\w-])--[a-z][a-z-]+/g))].filter((word) => !OF_OTHERS.includes(word));
  const ofToken = tokenCommand(() => undefined).options.map(({ long }) => long);
  assert.ok(words.length > 20, words.join());
  assert.deepEqual(unknownFlags(words.filter((word) => !ofToken.includes(word))), []);
  assert.deepEqual(unknownVariables(page.match(/P2P_[A-Z_]+/g) ?? []), []);
});

/** A value for each flag of the server that takes one, as an operator may give it. */
const valuesIn = (folder: string): Readonly<Record<string, string>> => ({
  '--media': FIXTURE_MEDIA,
  '--auth-secret-file': join(folder, 'auth-secret'),
  '--auth-jwks': 'https://login.example/keys',
  '--turn': 'turn:turn.example:3478',
  '--turn-username': 'us',
  '--turn-credential': 'secret',
  '--turn-secret-file': join(folder, 'turn-secret'),
  '--turn-ttl': '600',
  '--stun': 'stun:stun.example:3478',
  '--cors': 'https://p2p.example',
  '--origins': 'https://p2p.example',
  '--digest-origins': 'https://cdn.example',
  '--digest-cache': join(folder, 'digests'),
  '--digest-cache-size': '1gb',
  '--sites': join(folder, 'sites'),
  '--trust-proxy': '1',
  '--holdout': '1%',
  '--mesh': 'off',
  '--log-level': 'debug',
  '--drain-seconds': '30',
});
/** For two ways of the same things: one server can have only one of them. */
const ONE_WAY = ['--auth-secret-file', '--turn-secret-file', '--turn-ttl'];
const OTHER_WAY = ['--auth-jwks', '--turn-username', '--turn-credential'];
/** Tried by the commands, or by harness and tests of their own: each server has an address, Redis is not everywhere, and HSTS needs TLS. */
const TRIED = ['--host', '--port', '--config', '--redis', '--hsts'];

test('a server starts with every flag that it names, each limit at its default', async (t) => {
  const folder = await sandbox(t);
  await writeFile(join(folder, 'sites'), '192.0.2.0/24 school\n');
  const named = [...new Set(page.match(/(?<![\w-])--[a-z][a-z-]+/g))];
  const options = serveCommand(() => undefined).options.filter(({ long }) => named.includes(long ?? ''));
  const allBut = (left: readonly string[]): string[] =>
    options.flatMap(({ long = '', required, defaultValue }) => {
      if (TRIED.includes(long) || left.includes(long)) return [];
      const value = valuesIn(folder)[long] ?? (/^--(max-|join-)/.test(long) ? String(defaultValue) : undefined);
      assert.ok(value !== undefined || !required, `a value for ${long}`);
      return value === undefined ? [long] : [long, value];
    });
  for (const left of [ONE_WAY, OTHER_WAY]) {
    const server = await serve({ flags: allBut(left) });
    t.after(() => server.kill());
    assert.equal((await fetch(`${server.url}/healthz`)).status, 200, left.join());
  }
});

test('every flag of the server is in a page for operators, and each limit with its default', async () => {
  const pages =
    page + (await Promise.all(['README.md', 'docs/metrics.md'].map((file) => readFile(ROOT + file)))).join('');
  const { options } = serveCommand(() => undefined);
  for (const { long } of options) assert.match(pages, new RegExp(`${long}(?![\\w-])`), long);
  const limits = options.filter(({ long }) => /^--(max-|join-timeout)/.test(long ?? ''));
  assert.equal(limits.length, Object.keys(DEFAULT_LIMITS).length);
  for (const { long, defaultValue } of limits) {
    const [, text] = new RegExp(`^\\| \`${long}\` +\\| ([\\d,]+) `, 'm').exec(page) ?? [];
    assert.equal(text, (defaultValue as number).toLocaleString('en'), long);
  }
  for (const [what, most] of [
    ['--max-joins', JOIN_BURST],
    ['--max-signals', SIGNAL_BURST],
    ['--max-claims', CLAIM_BURST],
  ] as const)
    assert.match(page, new RegExp(`^\\| \`${what}\`.* ${most} at once`, 'm'));
  assert.match(page, new RegExp(`^A peer is in ${MAX_SWARMS} swarms at most`, 'm'));
});

test('every file of deploy/ that it names is there, and every page that it links to but decisions', () => {
  const files = page.match(/(?<=`)(?:[\w-]+\/)?[\w-]+\.(?:ya?ml|conf|service|json|Caddyfile)(?=`)/g) ?? [];
  assert.ok(files.length > 5);
  const ofOthers = ['p2p.json', 'tls.conf'];
  for (const file of files) assert.ok(ofOthers.includes(file) || existsSync(`${ROOT}deploy/${file}`), file);
  for (const [, target = ''] of page.matchAll(/\]\(([^)#:]+)[^)]*\)/g))
    assert.ok(target.startsWith('decisions/') || existsSync(join(ROOT, 'docs', target)), target);
});

test('its table has the alerts that there are, and its metrics are in the page of the metrics', async () => {
  const { groups } = parse(await deployed('alerts.yml')) as { groups: { rules: { alert: string }[] }[] };
  const alerts = groups.flatMap(({ rules }) => rules.map(({ alert }) => alert));
  assert.deepEqual(
    [...page.matchAll(/^\| `(P2P\w+)`/gm)].map(([, name]) => name),
    alerts,
  );
  const metrics = await readFile(`${ROOT}docs/metrics.md`, 'utf8');
  for (const name of page.match(/p2p_\w+/g) ?? []) assert.ok(metrics.includes(`\`${name}`), name);
});

test('what counts at once after a reload is what the page says', async () => {
  const source = await readFile(`${ROOT}server/cli/reload-on-hangup.ts`, 'utf8');
  const [, list = ''] = /AT_RUN_TIME[^[]*= \[([^\]]+)\]/.exec(source) ?? [];
  const names = [...list.matchAll(/'(\w+)'/g)].map(([, name = '']) =>
    name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`),
  );
  const row = /^\| `--config` .*$/m.exec(page)?.[0] ?? '';
  for (const name of names.filter((one) => !one.startsWith('tls-'))) assert.ok(row.includes(`\`${name}\``), name);
});

test('a server starts by the configuration with TLS, and says that browsers are to come by HTTPS', async (t) => {
  const [json = '', ...others] = blocks('json');
  assert.deepEqual(others, []);
  const folder = await sandbox(t);
  const { cert, key } = selfSigned(folder);
  const port = await freePort();
  const given = JSON.parse(json) as Record<string, unknown>;
  assert.ok('tls-cert' in given && 'tls-key' in given && 'media' in given && 'metrics-port' in given);
  const placed = { ...given, port, media: FIXTURE_MEDIA, 'tls-cert': cert, 'tls-key': key, 'metrics-port': 0 };
  await writeFile(join(folder, 'p2p.json'), JSON.stringify(placed));
  const child = spawn(process.execPath, ['dist/cli.js', 'serve', '--config', join(folder, 'p2p.json')], { cwd: ROOT });
  let output = '';
  child.stderr.on('data', (text: Buffer) => (output += text.toString()));
  const exited = once(child, 'exit');
  t.after(() => child.kill('SIGKILL'));
  const hsts = await until('it speaks HTTPS', async () => {
    if (child.exitCode !== null) throw new Error(output);
    const request = get({ port, path: '/', rejectUnauthorized: false });
    const [response] = (await once(request, 'response')) as [{ headers: Record<string, string> }];
    request.destroy();
    return response.headers['strict-transport-security'];
  });
  assert.equal(hsts, `max-age=${String(given['hsts'])}`);
  child.kill('SIGTERM');
  assert.deepEqual(await exited, [0, null]);
});

test('a token that a backend makes as it says lets a viewer in, and nobody is let in without', async (t) => {
  const [code = '', ...others] = blocks('js');
  assert.deepEqual(others, []);
  const folder = await sandbox(t);
  await symlink(`${ROOT}node_modules`, join(folder, 'node_modules'), 'dir');
  await writeFile(
    join(folder, 'backend.mjs'),
    code.replace("'auth-secret'", JSON.stringify(join(folder, 'auth-secret'))),
  );
  const { tokenFor } = (await import(pathToFileURL(join(folder, 'backend.mjs')).href)) as {
    tokenFor: (viewer: string) => Promise<string>;
  };
  const server = await serve({ flags: ['--auth-secret-file', join(folder, 'auth-secret')] });
  t.after(() => server.kill());
  const join_ = async (swarm: string, token?: string): Promise<unknown> => {
    const client = await connect(t, server.url);
    const reply = (await client.ask('join', { version: 1, swarms: [swarm], ...(token && { token }) })) as {
      ok: boolean;
      code?: string;
    };
    return reply.ok || reply.code;
  };
  assert.equal(await join_('https://p2p.example', await tokenFor('anna')), true);
  assert.equal(await join_('https://elsewhere.example', await tokenFor('anna')), 'unauthorized');
  assert.equal(await join_('https://p2p.example'), 'unauthorized');
});

const systemd = spawnSync('systemd-analyze', ['--version']).error === undefined;

test(
  'systemd understands the unit with what the page adds to it',
  { skip: !systemd && 'systemd is not installed' },
  async (t) => {
    const [ini = '', ...others] = blocks('ini');
    assert.deepEqual(others, []);
    const unit = join(await sandbox(t), 'p2p-elements.service');
    await writeFile(
      unit,
      `${(await deployed('p2p-elements.service')).replace('/usr/bin/node', process.execPath)}\n${ini}`,
    );
    const { stdout, stderr } = await run('systemd-analyze', ['verify', unit]);
    assert.doesNotMatch(stdout + stderr, /p2p-elements/);
  },
);

test('what it says of the files is so', async () => {
  const unit = await deployed('p2p-elements.service');
  assert.ok(page.includes(`LimitNOFILE=${/^LimitNOFILE=(\d+)$/m.exec(unit)?.[1] ?? '?'}`));
  assert.ok(
    page.includes('/etc/p2p-elements/secrets.env') && unit.includes('EnvironmentFile=-/etc/p2p-elements/secrets.env'),
  );
  assert.ok(unit.includes('StateDirectory=p2p-elements'), '/var/lib/p2p-elements');
  assert.equal((await exampleConfig())['drain-seconds'], 30);
  const turn = await deployed('turnserver.conf');
  assert.ok(turn.includes('min-port=49152') && turn.includes('max-port=65535') && page.includes('49152 to 65535'));
});

test('numbers that it takes from the code are those of the code', () => {
  assert.ok(page.includes(`(\`${KEY_PREFIX}\` before all keys)`));
  assert.ok(page.includes(`${DEFAULT_LIMITS.connections.toLocaleString('en')} a node (\`--max-connections\`)`));
  assert.ok(page.includes(`leave the directory after ${NODE_DEAD_MS / 1000} s`));
  assert.ok(page.includes(`to answer in ${REDIS_ANSWER_MS / 1000} s`));
});
