/** What is measured: for each system its page and the command of its origin. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../../test/harness/serve.ts';
import type { MediaFolder } from './media-folder.ts';
import { ORIGIN_ADDRESS } from './network.ts';
import type { RunOptions, SystemName } from './options.ts';
import { ORIGIN_PORT } from './origin.ts';

export interface Places {
  /** Folder of a built copy of this package. */
  readonly kit: string;
  /** npm folder with p2p-media-loader. */
  readonly competitors: string | undefined;
  readonly chromium: string;
  /** Where generated media is kept. */
  readonly cache: string;
  /** For temporary files. */
  readonly temporary: string;
}

export const ORIGIN_URL = `http://${ORIGIN_ADDRESS}:${ORIGIN_PORT}`;

/** Arguments for Node. */
export function originCommand(system: SystemName, { kit, competitors }: Places, media: string): string[] {
  const common = ['--port', String(ORIGIN_PORT), '--media', media];
  const plain = ['--import', 'tsx', fileURLToPath(new URL('plain-origin.ts', import.meta.url)), ...common];
  switch (system) {
    case 'p2p-elements':
      return [join(kit, 'dist', 'cli.js'), 'serve', ...common, '--host', '0.0.0.0', '--log-level', 'debug'];
    case 'hlsjs':
      return [...plain, '--library', join(ROOT, 'node_modules')];
    case 'p2pml': {
      const library = join(competitors ?? '', 'node_modules');
      return [...plain, '--library', library, '--tracker', join(library, 'bittorrent-tracker', 'server.js')];
    }
  }
}

/** Puts the system's page into the media folder. @returns its URL */
export function putPage({ system, query }: Pick<RunOptions, 'system' | 'query'>, media: MediaFolder): string {
  const page = readFileSync(new URL(`pages/${system}.html`, import.meta.url), 'utf8')
    .replaceAll('{playlist}', `/media/${media.playlist}`)
    .replaceAll('{tracker}', `ws://${ORIGIN_ADDRESS}:${ORIGIN_PORT + 1}`);
  writeFileSync(join(media.path, 'watch.html'), page);
  return `${ORIGIN_URL}/media/watch.html${query === '' ? '' : `?${query}`}`;
}
