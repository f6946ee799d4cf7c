import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { freePort } from '../harness/free-port.ts';
import { ROOT, serve } from '../harness/serve.ts';
import { until } from '../harness/until.ts';
import { deployed, unknownVariables } from './support.ts';

/** Instructions, each as one line; comments are gone. */
const instructions = async (): Promise<string[]> =>
  (await deployed('Dockerfile'))
    .replace(/^\s*#.*\n/gm, '')
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line !== '');

/** What `COPY` takes from the build context, and from other stages. */
const copies = (lines: readonly string[]) =>
  lines
    .filter((line) => line.startsWith('COPY '))
    .map((line) => {
      const words = line.split(' ').slice(1);
      const from = words[0]?.startsWith('--from=') ? words.shift() : undefined;
      return { from, sources: words.slice(0, -1), target: words.at(-1)! };
    });

async function inContext(): Promise<string[]> {
  const [everything, ...lines] = (await readFile(`${ROOT}.dockerignore`, 'utf8'))
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  assert.equal(everything, '*');
  for (const line of lines) assert.ok(line.startsWith('!'), line);
  return lines.map((line) => line.slice(1));
}

test('the build context has all that the image and its build take, and nothing that is not there', async () => {
  const context = await inContext();
  for (const name of context) assert.ok(existsSync(ROOT + name), name);
  const stamp = await readFile(`${ROOT}scripts/lib/stamp.mjs`, 'utf8');
  const sources = [...(/SOURCES = \[([^\]]*)\]/.exec(stamp)?.[1] ?? '').matchAll(/'([^']+)'/g)].map(
    ([, name]) => name!,
  );
  assert.ok(sources.length > 5);
  const taken = copies(await instructions())
    .filter(({ from }) => from === undefined)
    .flatMap((copy) => copy.sources)
    .filter((name) => name !== '.');
  for (const name of [...sources, ...taken]) assert.ok(context.includes(name.split('/')[0]!), name);
});

test('it runs as nobody who may anything, and its variables are flags', async () => {
  const lines = await instructions();
  const last = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')));
  const [, user] = /^USER (\d+):\d+$/.exec(last.find((line) => line.startsWith('USER ')) ?? '') ?? [];
  assert.ok(Number(user) > 0, 'a number, and not root');
  const names = lines.filter((line) => line.startsWith('ENV ')).flatMap((line) => line.match(/\w+(?==)/g) ?? []);
  assert.ok(names.includes('P2P_PORT'));
  assert.deepEqual(unknownVariables(names), []);
});

test('what looks whether it lives sees a server, and that there is none', async () => {
  const check = (await instructions()).find((line) => line.startsWith('HEALTHCHECK ')) ?? '';
  const [command = '', ...args] = JSON.parse(check.replace(/^.*? CMD /, '')) as string[];
  assert.equal(command, 'node');
  const server = await serve();
  const look = async (): Promise<unknown> => {
    const child = spawn(process.execPath, args, { env: { ...process.env, P2P_PORT: String(server.port) } });
    return (await once(child, 'exit'))[0] as unknown;
  };
  try {
    assert.equal(await look(), 0);
  } finally {
    await server.kill();
  }
  assert.equal(await look(), 1);
});

/** The files of the last stage, as links, with the packages that are no development dependencies. */
async function image(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'p2p-image-'));
  t.after(() => rm(folder, { recursive: true }));
  const link = async (name: string): Promise<void> => {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await symlink(ROOT + name, join(folder, name));
  };
  const lines = await instructions();
  const last = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')));
  for (const { sources } of copies(last))
    for (const name of sources.map((source) => source.split('/').at(-1)!))
      if (name !== 'node_modules') await link(name);
  const { packages } = JSON.parse(await readFile(`${ROOT}package-lock.json`, 'utf8')) as {
    packages: Record<string, { dev?: boolean; optional?: boolean }>;
  };
  const removed = lines.flatMap((line) => line.match(/(?<=rm -r )node_modules\/\S+/g) ?? []);
  for (const [name, { dev, optional }] of Object.entries(packages))
    if (/^node_modules\/(?!.*\/node_modules\/)/.test(name) && dev !== true && !removed.includes(name))
      if (optional !== true || existsSync(ROOT + name)) await link(name);
  return folder;
}

test('the files of the image are enough to serve the demo, the kit and the signaling', async (t) => {
  const folder = await image(t);
  const entry = (await instructions()).find((line) => line.startsWith('ENTRYPOINT ')) ?? '';
  const [, ...entryArgs] = JSON.parse(entry.replace('ENTRYPOINT ', '')) as string[];
  const command = (await instructions()).find((line) => line.startsWith('CMD ')) ?? '';
  const args = [...entryArgs, ...(JSON.parse(command.replace('CMD ', '')) as string[])];
  const port = await freePort();
  const child = execFile(process.execPath, ['--preserve-symlinks', '--preserve-symlinks-main', ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'], NODE_ENV: 'production', P2P_PORT: String(port) },
  });
  const exited = once(child, 'exit');
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  child.stderr?.on('data', (text: string) => (output += text));
  const ok = async (path: string): Promise<boolean> => {
    if (child.exitCode !== null) throw new Error(output);
    return (await fetch(`http://127.0.0.1:${port}${path}`)).ok;
  };
  await until('it serves', () => ok('/healthz'), { timeout: 20_000 });
  for (const path of [
    '/',
    '/p2p-elements/p2p-elements.js',
    '/p2p-sw.js',
    '/media/lesson/index.m3u8',
    '/p2p-manifest.json',
    '/p2p/signal/?EIO=4&transport=polling',
  ])
    assert.ok(await ok(path), path);
  child.kill('SIGTERM');
  assert.deepEqual(await exited, [0, null]);
});
