import { once } from 'node:events';
import { join } from 'node:path';
import { forgetProcess, noteProcess } from './leftovers.ts';
import { BETWEEN, spawnIn, type SeparateNetworks } from './separate-networks.ts';
import { until } from './until.ts';

export interface Coturn {
  readonly url: string;
  /** What it has said so far. */
  readonly log: () => string;
  stop(): Promise<void>;
}

/** coturn between two networks, with the REST scheme's secret. @param folder for its files */
export async function coturn({ server }: SeparateNetworks, secret: string, folder: string): Promise<Coturn> {
  const args = [
    '-n', // no configuration file
    '--verbose',
    '--log-file=stdout',
    `--listening-ip=${BETWEEN}`,
    `--relay-ip=${BETWEEN}`,
    '--listening-port=3478',
    '--realm=p2p.test',
    '--use-auth-secret',
    `--static-auth-secret=${secret}`,
    '--no-tls',
    '--no-dtls',
    '--no-cli',
    `--userdb=${join(folder, 'turndb')}`,
    `--pidfile=${join(folder, 'turnserver.pid')}`,
  ];
  const child = spawnIn(server, 'turnserver', args);
  if (child.pid === undefined) throw new Error('turnserver could not be started.');
  noteProcess(child.pid, 'turnserver');
  let log = '';
  for (const stream of [child.stdout, child.stderr])
    stream!.setEncoding('utf8').on('data', (text: string) => (log += text));
  await until('coturn listens', () => {
    if (child.exitCode !== null) throw new Error(`coturn ended with ${child.exitCode}:\n${log}`);
    return /UDP listener opened on: 10\.90\.0\.1:3478/.test(log);
  });
  return {
    url: `turn:${BETWEEN}:3478?transport=udp`,
    log: () => log,
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        const exit = once(child, 'exit');
        child.kill('SIGTERM');
        await exit;
      }
      forgetProcess(child.pid!);
    },
  };
}
