import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Page } from 'playwright-core';
import { parseManifest, isWholeAsset } from '../../../protocol/manifest.ts';
import { parseDigestTag, DIGEST_TAG } from '../../../protocol/playlist-tag.ts';
import { until } from '../../harness/until.ts';
import type { Stage } from '../support/stage.ts';
import type { HostileOptions, HostileState } from './hostile-peer.ts';

type Claim = HostileOptions['claims'][number];
type HostileWindow = {
  readonly hostile: {
    readonly state: HostileState;
    start(options: HostileOptions): Promise<void>;
    ask(digests: readonly string[]): void;
  };
};

let bundle: Promise<string> | undefined;

/** Starts a hostile peer in a page of its own on the stage; resolves when it is in the mesh. */
export async function launchHostilePeer(page: Page, scene: Stage, options: HostileOptions): Promise<HostilePeer> {
  await page.goto(await scene.page('hostile', '<p>A hostile peer.</p>'));
  bundle ??= bundled();
  await page.addScriptTag({ content: await bundle });
  await page.evaluate((given) => (window as unknown as HostileWindow).hostile.start(given), options);
  const peer = new HostilePeer(page);
  await until('the hostile peer in the mesh', async () => (await peer.state()).peer);
  return peer;
}

export class HostilePeer {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  state(): Promise<HostileState> {
    return this.#page.evaluate(() => (window as unknown as HostileWindow).hostile.state);
  }

  /** Asks all its neighbours for these. */
  ask(digests: readonly string[]): Promise<void> {
    return this.#page.evaluate((all) => (window as unknown as HostileWindow).hostile.ask(all), digests);
  }
}

/** What the manifest lists, as claims. */
export async function listedAssets({ proxy }: Stage): Promise<readonly Claim[]> {
  const base = `${proxy.url}/p2p-manifest.json`;
  const { assets } = parseManifest(await (await fetch(base)).json());
  return Object.entries(assets).flatMap(([path, entry]) =>
    isWholeAsset(entry) ? [{ digest: entry.digest, size: entry.size, url: new URL(path, base).href }] : [],
  );
}

/** The segments of a playlist, as claims. */
export async function segmentsOfPlaylist(url: string): Promise<readonly Claim[]> {
  const lines = (await (await fetch(url)).text()).split('\n');
  const names = lines.flatMap((line) =>
    line.startsWith(`#${DIGEST_TAG}:`) ? [parseDigestTag(line.slice(DIGEST_TAG.length + 2))] : [],
  );
  const uris = lines.filter((line) => line !== '' && !line.startsWith('#'));
  return names.map((name, i) => ({ ...name, url: new URL(uris[i]!, url).href }));
}

async function bundled(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('hostile-peer.ts', import.meta.url))],
    bundle: true,
    write: false,
    format: 'iife',
    target: 'es2022',
    logLevel: 'warning',
  });
  return outputFiles[0]!.text;
}
