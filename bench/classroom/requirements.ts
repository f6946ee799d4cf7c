import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { SystemName } from './options.ts';

/** Command → Debian package. */
const COMMANDS = { ip: 'iproute2', tc: 'iproute2', nft: 'nftables', ffmpeg: 'ffmpeg' } as const;

const COMPETITOR_PACKAGES = ['p2p-media-loader-core', 'p2p-media-loader-hlsjs', 'bittorrent-tracker', 'hls.js'];

/** What stands in the way of a run, one line each; none if it can begin. */
export function missing(chromium: string, systems: readonly SystemName[], competitors: string | undefined): string[] {
  const lines: string[] = [];
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    lines.push('The classroom bench makes network namespaces: it needs Linux and root.');
  const absent = Object.entries(COMMANDS).filter(([command]) => !isCommand(command));
  const packages = new Set(absent.map(([, name]) => name));
  if (packages.size > 0)
    lines.push(
      `Not found: ${absent.map(([command]) => command).join(', ')}. On Debian: apt install ${[...packages].join(' ')}`,
    );
  if (!existsSync(chromium))
    lines.push(`There is no Chromium at ${chromium}. Name one with CHROME_PATH or --chromium.`);
  if (systems.includes('p2pml')) lines.push(...missingCompetitors(competitors));
  return lines;
}

function missingCompetitors(folder: string | undefined): string[] {
  const install = (target: string): string =>
    `mkdir -p ${target} && npm install --prefix ${target} --ignore-scripts ${COMPETITOR_PACKAGES.join(' ')}`;
  if (folder === undefined)
    return [
      `p2pml is not among our dependencies: name a folder with it, --competitors DIR. To make one: ${install('DIR')}`,
    ];
  const absent = COMPETITOR_PACKAGES.filter((name) => !existsSync(join(folder, 'node_modules', name)));
  return absent.length === 0 ? [] : [`${folder} lacks ${absent.join(', ')}. To install: ${install(folder)}`];
}

function isCommand(name: string): boolean {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false; // not in this one
    }
  });
}
