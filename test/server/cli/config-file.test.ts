import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { serveCommand } from '../../../server/cli/serve-command.ts';
import { flagsOf } from '../../../server/cli/config-file.ts';
import { folderOf } from '../support.ts';

interface Flags {
  readonly [name: string]: unknown;
}

/** The flags that a command line and a file give together. */
async function flags(t: TestContext, content: string, args: readonly string[] = [], env: Record<string, string> = {}) {
  const file = join(await folderOf(t), 'config.json');
  await writeFile(file, content);
  const command = serveCommand(() => undefined);
  let read: (() => Flags) | undefined;
  command.action(() => void (read = () => flagsOf(command, file)));
  const before = { ...process.env };
  Object.assign(process.env, env);
  try {
    await command.parseAsync(['node', 'serve', ...args]);
  } finally {
    process.env = before;
  }
  return { file, read: () => read!() };
}

test('each flag may stand in the file, by its name', async (t) => {
  const config = {
    port: 8123,
    host: '127.0.0.1',
    cors: ['https://a.example', 'https://b.example'],
    stun: ['stun:a', 'stun:b stun:c'],
    mesh: 'off',
    holdout: '1%',
    'log-level': 'debug',
    'log-addresses': true,
    'drain-seconds': 30,
  };
  const read = (await flags(t, JSON.stringify(config))).read();
  assert.equal(read['port'], 8123);
  assert.equal(read['host'], '127.0.0.1');
  assert.deepEqual(read['cors'], ['https://a.example', 'https://b.example']);
  assert.deepEqual(read['stun'], ['stun:a', 'stun:b', 'stun:c']);
  assert.equal(read['mesh'], false);
  assert.equal(read['holdout'], 0.01);
  assert.equal(read['logLevel'], 'debug');
  assert.equal(read['logAddresses'], true);
  assert.equal(read['drainSeconds'], 30);
  assert.equal(read['hsts'], 0, 'what it does not say is the default');
});

test('a flag that may stand alone can be denied, too', async (t) => {
  for (const [content, args, variables, expected] of [
    ['{}', [], {}, false],
    ['{}', ['--log-addresses'], {}, true],
    ['{ "log-addresses": false }', [], {}, false],
    ['{}', [], { P2P_LOG_ADDRESSES: 'false' }, false],
    ['{}', [], { P2P_LOG_ADDRESSES: '1' }, true],
  ] as const)
    assert.equal((await flags(t, content, [...args], variables)).read()['logAddresses'], expected);
});

test('the command line wins over the environment, that over the file', async (t) => {
  const { read } = await flags(t, JSON.stringify({ port: 1, holdout: 0.1, mesh: 'off' }), ['--port', '3'], {
    P2P_PORT: '2',
    P2P_HOLDOUT: '0.2',
  });
  const { port, holdout, mesh } = read();
  assert.deepEqual([port, holdout, mesh], [3, 0.2, false]);
});

test('the file is read anew each time, and what it no longer says is the default again', async (t) => {
  const { read, file } = await flags(t, '{ "holdout": "5%" }');
  assert.equal(read()['holdout'], 0.05);
  await writeFile(file, '{}');
  assert.equal(read()['holdout'], 0);
});

test('what is wrong is told with the key, and what was expected', async (t) => {
  const wrong: [string, RegExp][] = [
    ['{ "prot": 80 }', /"prot" is no flag that it may hold\. There are port, host, /],
    ['{ "config": "other.json" }', /"config" is no flag/],
    ['{ "__proto__": 1 }', /"__proto__" is no flag/],
    ['{ "port": "eighty" }', /"port" is not understood\. Expected a port from 0 to 65535/],
    ['{ "port": true }', /"port" is text, a number/],
    ['{ "log-level": "loud" }', /"log-level" is not understood\. Allowed choices/],
    ['{ "log-addresses": null }', /"log-addresses" is true or false/],
    ['{ "log-addresses": "perhaps" }', /"log-addresses" is not understood\. Expected yes or no/],
    ['{ "mesh": "maybe" }', /"mesh" is not understood\. Expected on or off/],
    ['{ "holdout": "200%" }', /"holdout".*Expected a share/],
    ['{ "stun": ["turn:x"] }', /"stun".*Expected stun:host/],
    ['{ "metrics-allow": "10.0.0.0/64" }', /"metrics-allow".*prefixes/],
    ['[]', /is no object/],
    ['{ port: 1 }', /is no JSON/],
  ];
  for (const [content, expected] of wrong) {
    const { read, file } = await flags(t, content);
    assert.throws(read, (error: Error & { code: string }) => {
      assert.equal(error.code, 'bad-flag');
      assert.match(error.message, expected);
      assert.ok(error.message.includes(file));
      return true;
    });
  }
  const command = serveCommand(() => undefined);
  assert.throws(() => flagsOf(command, '/nowhere/config.json'), /can't be read \(ENOENT\)/);
});
