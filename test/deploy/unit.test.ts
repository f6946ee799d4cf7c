import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { FIXTURE_MEDIA, ROOT, serve } from '../harness/serve.ts';
import { deployed, exampleConfig, unknownFlags } from './support.ts';

const run = promisify(execFile);

/** The values of a key of the unit. */
const values = (unit: string, key: string): string[] =>
  [...unit.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value]) => value!);

test('the unit starts serve with flags that it has, from where the package has it', async () => {
  const unit = await deployed('p2p-elements.service');
  const [start = '', ...others] = values(unit, 'ExecStart');
  assert.deepEqual(others, []);
  const [node, file, command, ...flags] = start.split(' ');
  assert.equal(node, '/usr/bin/node');
  const { bin } = JSON.parse(await readFile(`${ROOT}package.json`, 'utf8')) as {
    bin: Record<string, string>;
  };
  assert.ok(file?.endsWith(`/node_modules/p2p-elements/${String(bin['p2p-elements'])}`), file);
  assert.equal(command, 'serve');
  assert.deepEqual(unknownFlags(flags), []);
});

test('a reload is SIGHUP, and a stop has time to drain', async () => {
  const unit = await deployed('p2p-elements.service');
  assert.deepEqual(values(unit, 'ExecReload'), ['/bin/kill -HUP $MAINPID']);
  assert.ok(Number(values(unit, 'TimeoutStopSec')) > Number((await exampleConfig())['drain-seconds']));
  assert.ok(Number(values(unit, 'LimitNOFILE')) > 55_000, 'the most connections that there may be, and files');
});

test('a server starts by the example of a configuration', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'p2p-config-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'p2p.json');
  await writeFile(file, JSON.stringify({ ...(await exampleConfig()), media: FIXTURE_MEDIA, 'metrics-port': 0 }));
  const server = await serve({ flags: ['--config', file] });
  t.after(() => server.kill());
  assert.equal((await fetch(`${server.url}/media/map.png`)).status, 200);
  const handshake = (origin: string) =>
    fetch(`${server.url}/p2p/signal/?EIO=4&transport=polling`, { headers: { origin } });
  assert.equal((await handshake('https://p2p.example')).status, 200);
  assert.notEqual((await handshake('https://elsewhere.example')).status, 200);
});

const analyze = spawnSync('systemd-analyze', ['--version'], { encoding: 'utf8' });
const version = analyze.error === undefined ? Number(/systemd (\d+)/.exec(analyze.stdout)?.[1]) : 0;

test(
  'systemd understands the unit, and finds little that it may do',
  { skip: version < 250 && 'systemd-analyze from 250 on is not installed (on Debian: apt install systemd)' },
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'p2p-unit-'));
    t.after(() => rm(folder, { recursive: true }));
    const file = join(folder, 'p2p-elements.service');
    await writeFile(file, (await deployed('p2p-elements.service')).replace('/usr/bin/node', process.execPath));
    const { stdout, stderr } = await run('systemd-analyze', ['verify', file]);
    assert.doesNotMatch(stdout + stderr, /p2p-elements/, 'of other units it may say what it likes');
    // tenths, from 0 (may nothing) to 100
    await run('systemd-analyze', ['security', '--offline=true', '--threshold=30', file]);
  },
);
