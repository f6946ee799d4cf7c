/** What the pages of our own server are made of: the kit's modules and the demo. Listed, so that they are there when the server is not. */
import { basename } from 'node:path/posix';
import { join } from 'node:path';
import { KIT_PREFIX, SERVICE_WORKER_PATH } from '../http/kit-files.ts';
import { urlOfFile } from '../media-path.ts';
import { mediaFiles } from './media-files.ts';

export interface ShellFolders {
  /** Folder of the kit's built browser files. */
  readonly kit: string;
  /** Folder of the demo page. */
  readonly demo: string;
}

export interface ShellFile {
  /** Absolute path on the disk. */
  readonly path: string;
  /** URL path. */
  readonly url: string;
}

/** No service worker, which the browser fetches by itself; no source maps and compressed copies; nothing of the demo's sample media, which are served elsewhere. */
export async function shellFiles({ kit, demo }: ShellFolders): Promise<ShellFile[]> {
  const modules = (await mediaFiles(kit)).filter((path) => path.endsWith('.js') && !path.startsWith(SERVICE_WORKER));
  const pages = (await mediaFiles(demo)).filter((path) => !path.startsWith('media/'));
  return [
    ...modules.map((path) => ({ path: join(kit, path), url: urlOfFile(path, KIT_PREFIX) })),
    ...pages.flatMap((path) => {
      const url = urlOfFile(path, '/');
      const file = { path: join(demo, path), url };
      return basename(url) === 'index.html' ? [file, { ...file, url: url.slice(0, -'index.html'.length) }] : [file];
    }),
  ];
}

const SERVICE_WORKER = SERVICE_WORKER_PATH.slice(1);
