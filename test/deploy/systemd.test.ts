/** The commands of docs/operating.md that need root and systemd, as they stand there, in a systemd of the test's own. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { selfSigned } from '../harness/certificate.ts';
import { noNginx } from '../harness/nginx.ts';
import { ROOT } from '../harness/serve.ts';
import { cannotBoot, tryInSystemd } from '../harness/systemd.ts';

const UNIT = 'systemctl show -p MainPID -p ActiveState -p NRestarts -p ExecMainStatus p2p-elements';

const waitsFor = (word: string): string =>
  `for i in $(seq 100); do journalctl -u p2p-elements | grep -q '${word}' && break; sleep 0.1; done`;

const values = (output: string): Record<string, string> =>
  Object.fromEntries(
    output
      .trim()
      .split('\n')
      .map((line) => line.split('=') as [string, string]),
  );

test(
  'the unit, its reload and nginx in front of it do in a real systemd what the page says, and a wrong flag is not tried again and again',
  { skip: cannotBoot() ?? noNginx },
  async (t) => {
    const page = await readFile(`${ROOT}docs/operating.md`, 'utf8');
    const lines = [...page.matchAll(/^```sh\n([^]*?)^```$/gm)].flatMap(([, block = '']) => block.trim().split('\n'));
    // test/tooling/operating-commands.ts installs the package; here it is where that puts it.
    const ofPage = lines.filter((line) => /^(?:sudo (?!npm )|journalctl |curl )/.test(line));
    const log = 'journalctl -u p2p-elements';
    const commands = [
      'systemctl start nginx',
      ...ofPage,
      'curl -skf https://127.0.0.1/healthz',
      'ps -o user= -C node',
      waitsFor('reloaded'),
      UNIT,
      log,
      'echo \'{ "origins": ["nonsense"] }\' > /etc/p2p-elements/p2p.json',
      'systemctl restart p2p-elements',
      waitsFor('Failed with result'),
      UNIT,
      log,
    ];
    const folder = await mkdtemp(join(tmpdir(), 'p2p-certificate-'));
    t.after(() => rm(folder, { recursive: true }));
    const { cert, key } = selfSigned(folder);
    const tried = await tryInSystemd(t, commands, {
      files: {
        '/etc/hosts': '127.0.0.1 localhost node1 node2\n',
        '/etc/ssl/p2p-elements/cert.pem': await readFile(cert, 'utf8'),
        '/etc/ssl/p2p-elements/key.pem': await readFile(key, 'utf8'),
      },
      bind: { from: ROOT, to: '/opt/p2p-elements/node_modules/p2p-elements' },
    });
    assert.deepEqual(
      tried.map(({ command }) => command),
      commands,
    );
    for (const { command, status, output } of tried) assert.equal(status, 0, `${command}: ${output}`);
    const said = (command: string): string[] =>
      tried.filter((one) => one.command === command).map(({ output }) => output.trim());
    assert.deepEqual(said('curl -skf https://127.0.0.1/healthz'), ['ok']);
    const [user = ''] = said('ps -o user= -C node');
    assert.match(user, /^p2p-ele/, 'not root');
    const [before = {}, after = {}] = said(UNIT).map(values);
    assert.deepEqual(
      { ...before, MainPID: '' },
      { MainPID: '', NRestarts: '0', ExecMainStatus: '0', ActiveState: 'active' },
    );
    assert.deepEqual(after, { MainPID: '0', NRestarts: '0', ExecMainStatus: '2', ActiveState: 'failed' });
    const [first = '', second = ''] = said(log);
    assert.match(first, new RegExp(`\\[${before['MainPID']}\\]: .*"msg":"listening"`));
    assert.match(first, new RegExp(`\\[${before['MainPID']}\\]: .*"msg":"reloaded"`), 'by the same process');
    assert.match(second, /"origins" is not understood/);
  },
);
