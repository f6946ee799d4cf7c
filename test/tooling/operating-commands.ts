/**
 * How each command of docs/operating.md is tried anywhere. What needs root, systemd or Docker is held against the files that it would meet;
 * test/deploy/systemd.test.ts has a real systemd for it where that can be.
 */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { freePort } from '../harness/free-port.ts';
import { noRedis, startRedis } from '../harness/redis.ts';
import { FIXTURE_MEDIA, ROOT, serve } from '../harness/serve.ts';
import { deployed, exampleConfig } from '../deploy/support.ts';

const run = promisify(execFile);
const UNIT = 'p2p-elements';

type Try = (t: TestContext, command: string) => Promise<unknown>;

/** The first that fits. */
export const TRIES: readonly (readonly [RegExp, Try])[] = [
  [/^npx p2p-elements serve /, starts],
  [/^npx p2p-elements token /, makesToken],
  [/^openssl rand -hex 32 > \S+$/, makesSecret],
  [/^mkdir -m 700 secrets && openssl /, makesSecret],
  [/^sudo (?:install -d|cp) /, puts],
  [/^npm ci && npm run build && npm pack$/, async () => assert.ok((await packageFile()).scripts['build'])],
  [/^sudo npm install --prefix /, installs],
  [/^(?:sudo systemctl|journalctl) /, namesUnit],
  [/^sudo nginx -t && sudo systemctl reload nginx$/, checksNginx],
  [/^curl /, asks],
  [/^echo \w+=\S+ > \.env$/, setsVariable],
  [/^docker compose /, composes],
  [/^sudo sysctl -w /, setsKernel],
];

export function operatingCommand(command: string): ((t: TestContext) => Promise<void>) | undefined {
  const found = TRIES.find(([form]) => form.test(command));
  if (found === undefined) return undefined;
  return async (t) => {
    await found[1](t, command);
  };
}

/** With the secrets that the page makes, made as it makes them. */
export async function sandbox(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'p2p-operating-'));
  t.after(() => rm(folder, { recursive: true }));
  for (const name of ['turn-secret', 'auth-secret'])
    await run('sh', ['-c', `openssl rand -hex 32 > ${name}`], { cwd: folder });
  return folder;
}

const packageFile = async () =>
  JSON.parse(await readFile(`${ROOT}package.json`, 'utf8')) as { scripts: Record<string, string> };

/** The example, with a folder and a port that are here. */
async function placedConfig(folder: string): Promise<string> {
  const file = join(folder, 'p2p.json');
  await writeFile(file, JSON.stringify({ ...(await exampleConfig()), media: FIXTURE_MEDIA, 'metrics-port': 0 }));
  return file;
}

async function starts(t: TestContext, command: string): Promise<void> {
  const folder = await sandbox(t);
  const words = command.replaceAll("'", '').split(' ').slice(3);
  const flags: string[] = [];
  for (const [index, word] of words.entries()) {
    const flag = words[index - 1];
    if (word === '--port' || flag === '--port') continue;
    if (flag === '--config') flags.push(await placedConfig(folder));
    else if (flag === '--redis') flags.push(noRedis === undefined ? (await startRedis(t)).url : word);
    else if (flag === '--media') flags.push(FIXTURE_MEDIA);
    else if (/^--(?:\w+-secret-file|digest-cache)$/.test(flag ?? '')) flags.push(join(folder, word));
    else flags.push(word);
  }
  const server = await serve({ flags });
  t.after(() => server.kill());
  assert.equal((await fetch(`${server.url}/healthz`)).status, 200);
}

async function makesToken(t: TestContext, command: string): Promise<void> {
  const line = command.replace('npx p2p-elements', `${process.execPath} ${ROOT}dist/cli.js`);
  const { stdout } = await run('sh', ['-c', line], { cwd: await sandbox(t) });
  assert.match(stdout, /^[\w-]+\.[\w-]+\.[\w-]+\n$/);
}

async function makesSecret(t: TestContext, command: string): Promise<void> {
  const folder = await sandbox(t);
  await run('sh', ['-c', `umask 022; ${command}`], { cwd: folder });
  const file = command.split(' > ')[1]!;
  assert.match(await readFile(join(folder, file), 'utf8'), /^[0-9a-f]{64}\n$/);
  if (!file.startsWith('secrets/')) return;
  assert.equal((await stat(join(folder, 'secrets'))).mode & 0o777, 0o700);
  assert.ok((await deployed('compose.yaml')).includes(`file: ./${file}`));
}

/** Files go where the unit, or the program, looks for them. */
async function puts(t: TestContext, command: string): Promise<void> {
  const folder = await sandbox(t);
  const words = command.split(' ').slice(1);
  const rooted = words.map((word) => (word.startsWith('/') ? folder + word : word));
  if (words[0] === 'cp') await mkdir(words[2]!.endsWith('/') ? rooted[2]! : dirname(rooted[2]!), { recursive: true });
  await run(rooted[0]!, rooted.slice(1), { cwd: ROOT });
  if (words[1] === 'deploy/etc/p2p.json')
    assert.ok((await deployed('p2p-elements.service')).includes(`--config ${words[2]}p2p.json`));
  if (words[1]?.endsWith('.service')) assert.equal(words[1], `deploy/${UNIT}.service`);
}

/** The package, as it is built, where the unit's command is. */
async function installs(t: TestContext, command: string): Promise<void> {
  const folder = await sandbox(t);
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const { stdout } = await run('npm', pack, { cwd: ROOT, maxBuffer: 64 * 1024 * 1024 });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  const line = command
    .replace('sudo ', '')
    .replace('--prefix ', `--prefix ${folder}`)
    .replace('./p2p-elements-*.tgz', join(folder, filename));
  assert.match(filename, /^p2p-elements-.*\.tgz$/);
  await run('sh', ['-c', `mkdir -p ${folder}/opt/p2p-elements && ${line} --prefer-offline`], { cwd: folder });
  const [, cli = ''] = /^ExecStart=\S+ (\S+) /m.exec(await deployed('p2p-elements.service')) ?? [];
  const { stdout: version } = await run(process.execPath, [folder + cli, '--version']);
  assert.match(version, /^\d+\.\d+\.\d+\n$/);
}

async function namesUnit(_t: TestContext, command: string): Promise<void> {
  const unit = await deployed(`${UNIT}.service`);
  for (const part of command.replaceAll('sudo ', '').split(' && ')) {
    if (part === 'systemctl daemon-reload') continue;
    const [, verb, name] =
      /^(?:systemctl (enable --now|reload|restart)|journalctl -u) ?(\S+)(?: -n \d+)?$/.exec(part) ?? [];
    assert.equal(name, UNIT, part);
    if (verb === 'reload') assert.match(unit, /^ExecReload=/m);
    if (verb === 'enable --now') assert.match(unit, /^WantedBy=/m);
  }
}

/** Of a server by the example of a configuration, at the port that the page says and the example has. */
async function asks(t: TestContext, command: string): Promise<void> {
  const config = await exampleConfig();
  const [, port = '', path = ''] =
    /^curl -sf?(?: --retry \d+ --retry-connrefused)? http:\/\/127\.0\.0\.1:(\d+)(\/\w+)$/.exec(command) ?? [];
  const metricsPort = await freePort();
  const server = await serve({ flags: ['--metrics-port', String(metricsPort)] });
  t.after(() => server.kill());
  assert.equal(Number(port), path === '/metrics' ? config['metrics-port'] : config['port']);
  const here = command.replace(`:${port}/`, `:${path === '/metrics' ? metricsPort : server.port}/`);
  const curl = spawnSync('curl', ['--version']).error === undefined;
  const text = curl ? (await run('sh', ['-c', here])).stdout : await (await fetch(here.split(' ').at(-1)!)).text();
  assert.match(text, path === '/metrics' ? /^p2p_peers 0$/m : /^ok\n?$|"ready":true/);
}

/** test/deploy/proxies.test.ts has nginx look at the file; here it is the one that it would find. */
async function checksNginx(): Promise<void> {
  const page = await readFile(`${ROOT}docs/operating.md`, 'utf8');
  assert.match(page, /^sudo cp deploy\/nginx\.conf \/etc\/nginx\/nginx\.conf$/m);
}

async function setsVariable(_t: TestContext, command: string): Promise<void> {
  const [, name = ''] = /^echo (\w+)=/.exec(command) ?? [];
  assert.ok((await deployed('compose.yaml')).includes(`\${${name}`), name);
}

/** Options of `docker compose`, as its manual has them. */
const COMPOSE: Readonly<Record<string, readonly string[]>> = { up: ['-d', '--no-deps', '--build'], kill: ['-s'] };

async function composes(_t: TestContext, command: string): Promise<void> {
  const { services } = parse(await deployed('compose.yaml'), { merge: true }) as { services: object };
  const [verb = '', ...words] = command.split(' ').slice(2);
  for (const word of words.filter((word) => word !== 'HUP'))
    assert.ok(word.startsWith('-') ? COMPOSE[verb]?.includes(word) : word in services, word);
}

async function setsKernel(_t: TestContext, command: string): Promise<void> {
  const [, name = ''] = /^sudo sysctl -w ([\w.]+)=\d+$/.exec(command) ?? [];
  assert.ok(name);
  if (process.platform === 'linux') assert.ok(existsSync(`/proc/sys/${name.replaceAll('.', '/')}`), name);
}
