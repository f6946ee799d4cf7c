import { statSync } from 'node:fs';
import { Command } from 'commander';
import { P2PError } from '../../protocol/error.ts';
import { writeManifest, type WrittenManifest } from '../digests/write-manifest.ts';

/** `p2p-elements manifest DIR`. @param print writes one line to stdout */
export function manifestCommand(print: (line: string) => void): Command {
  return new Command('manifest')
    .description('write p2p-manifest.json and p2p/leaves/ into a folder that a static host serves')
    .argument('<folder>', 'the folder; paths in the manifest are relative to it')
    .option(
      '--tag-playlists',
      "write the digests of their segments into VOD playlists, in place: without it a static host's segments are listed in the manifest",
      false,
    )
    .action(async (folder: string, { tagPlaylists }: { readonly tagPlaylists: boolean }) => {
      if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
        throw new P2PError(
          'bad-flag',
          `Expected a folder, but ${folder} is none. Name the folder that your host serves.`,
        );
      }
      for (const line of manifestLines(folder, await writeManifest(folder, { tagsPlaylists: tagPlaylists })))
        print(line);
    });
}

/** One line for each kind of thing that was done. */
export function manifestLines(
  folder: string,
  { files, playlists, tagged, leaves, removed, leftOut }: WrittenManifest,
): string[] {
  return [
    `${folder}/p2p-manifest.json: ${files} files and ${playlists} playlists`,
    ...(tagged > 0 ? [`${tagged} playlists written anew with digest tags`] : []),
    `${folder}/p2p/leaves/: the block hashes of ${leaves} assets`,
    ...(removed > 0 ? [`${removed} block hash files of earlier runs removed`] : []),
    ...(leftOut.length > 0
      ? [
          `${leftOut.length} files left out, being empty, still written to, or beyond what a manifest holds: ${leftOut.slice(0, 5).join(', ')}${leftOut.length > 5 ? ', …' : ''}`,
        ]
      : []),
  ];
}
