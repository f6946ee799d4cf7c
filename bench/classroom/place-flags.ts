/** Flags that every command has, and what comes of them. */
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { keepHouse } from './housekeeping.ts';
import { copyKit } from './kit-copy.ts';
import type { SystemName } from './options.ts';
import { missing } from './requirements.ts';
import type { Places } from './systems.ts';

export interface PlaceFlags {
  readonly competitors?: string;
  readonly media: string;
  readonly chromium: string;
}

export function withPlaces(command: Command): Command {
  return command
    .option('--competitors <folder>', 'npm folder with p2p-media-loader, for p2pml')
    .option('--media <folder>', 'where generated media is kept', join(tmpdir(), 'p2p-classroom-media'))
    .option('--chromium <file>', 'browser', process.env['CHROME_PATH'] ?? '/usr/bin/chromium');
}

/** @throws with what is missing, before anything is set up */
export function prepare({ competitors, media, chromium }: PlaceFlags, systems: readonly SystemName[]): Places {
  const folder = competitors === undefined ? undefined : resolve(competitors);
  const lacks = missing(chromium, systems, folder);
  if (lacks.length > 0) throw new Error(lacks.join('\n'));
  const temporary = keepHouse();
  return { kit: copyKit(temporary), competitors: folder, chromium, cache: resolve(media), temporary };
}
