/**
 * A systemd of the test's own: a container over this machine's files. What is written in it stays in it, it has a network of its own, and of this
 * machine's services only those start that sysinit.target wants.
 */
import { spawnSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { forgetProcess, noteProcess } from './leftovers.ts';

/** A command that was tried in the container. */
export interface Tried {
  readonly command: string;
  readonly status: number;
  /** What it said on either stream. */
  readonly output: string;
}

/** Runs the script when what every unit needs is there, and ends the container after it. */
const UNITS = {
  'operator.service': `[Unit]
DefaultDependencies=no

[Service]
Type=oneshot
ExecStart=/bin/bash /operator/script
StandardOutput=file:/operator/output
StandardError=file:/operator/output
ExecStopPost=/bin/systemctl exit --force
`,
  'operator.target': `[Unit]
Requires=sysinit.target operator.service
After=sysinit.target operator.service
`,
};

/** As root the commands need no sudo, which may be missing. */
const PRELUDE = `sudo() { "$@"; }
try() { echo "$ $1"; eval "$1"; printf '\n= %d\n' $?; }
`;

/** Mounts and processes are in namespaces of their own, so that none outlives the first of them. $1: the folder; then what systemd-nspawn gets. */
const BOOT = `set -e
folder=$1
shift
mount -t tmpfs tmpfs "$folder/over"
mkdir "$folder/over/upper" "$folder/over/work"
cp -r "$folder/root/." "$folder/over/upper"
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/over/upper,workdir=$folder/over/work" "$folder/merged"
exec systemd-nspawn --quiet --directory="$folder/merged" --boot --register=no --keep-unit --link-journal=no --private-network "$@"`;

/** As the unit has it. */
const NODE = '/usr/bin/node';

/** What BOOT mounts. */
const PROBE = `set -e
mount -t tmpfs tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/merged
mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/merged`;

/** Why it can't be done here, in words; undefined: it can. */
export function cannotBoot(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'a systemd of its own needs Linux and root';
  if (spawnSync('systemd-nspawn', ['--version']).status !== 0)
    return 'systemd-nspawn is not installed (on Debian: apt install systemd-container)';
  if (!existsSync(NODE)) return `the unit starts ${NODE}, which is not there`;
  const probe = spawnSync('unshare', ['--mount', 'sh', '-c', PROBE], { encoding: 'utf8' });
  return probe.status === 0 ? undefined : `nothing may be mounted here (${probe.stderr.trim()})`;
}

export interface Container {
  /** Texts, by their paths in the container. */
  readonly files: Readonly<Record<string, string>>;
  /** A folder of this machine that it has at another place, to be read only. The commands are tried there. */
  readonly bind: { readonly from: string; readonly to: string };
}

/**
 * Tries commands in the container, one after the other, by bash and as root.
 * @throws what systemd-nspawn said, if not all of them came to an end
 */
export async function tryInSystemd(
  t: TestContext,
  commands: readonly string[],
  { files, bind }: Container,
): Promise<Tried[]> {
  const folder = await mkdtemp(join(tmpdir(), 'p2p-systemd-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const units = Object.entries(UNITS).map(([name, text]) => [`/etc/systemd/system/${name}`, text] as const);
  for (const [path, text] of [...units, ...Object.entries(files)]) {
    const file = join(folder, 'root', path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  for (const name of ['over', 'merged', 'operator']) await mkdir(join(folder, name));
  const tries = commands.map((command) => `try '${command.replaceAll("'", `'\\''`)}'\n`);
  await writeFile(join(folder, 'operator', 'script'), `${PRELUDE}cd ${bind.to}\n${tries.join('')}`);
  const said = await nspawn(folder, [`--bind=${folder}/operator:/operator`, `--bind-ro=${bind.from}:${bind.to}`]);
  const output = await readFile(join(folder, 'operator', 'output'), 'utf8').catch(() => '');
  const tried = [...output.matchAll(/^\$ (.*)\n([^]*?)\n= (\d+)\n/gm)].map(([, command = '', output = '', status]) => ({
    command,
    output,
    status: Number(status),
  }));
  if (tried.length < commands.length) throw new Error(`${tried.length} of ${commands.length} ended: ${said}${output}`);
  return tried;
}

/** @returns what it said */
async function nspawn(folder: string, flags: readonly string[]): Promise<string> {
  const machine = `--machine=p2p-test-${process.pid}`;
  const args = [
    '--mount',
    '--pid',
    '--mount-proc',
    '--fork',
    '--kill-child',
    'sh',
    '-c',
    BOOT,
    'sh',
    folder,
    machine,
    ...flags,
    '--',
    '--unit=operator.target',
  ];
  const child = spawn('unshare', args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: 120_000, killSignal: 'SIGKILL' });
  if (child.pid !== undefined) noteProcess(child.pid, 'unshare');
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (said += text.toString()));
  await once(child, 'close');
  if (child.pid !== undefined) forgetProcess(child.pid);
  return said;
}
