/** The flags of the digest service, and what they mean for `createServer`. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { P2PError } from '../../protocol/error.ts';
import type { DigestServiceOptions } from '../digest-service/digest-service.ts';
import { byteSize, origins, yesOrNo } from './flag-values.ts';

export interface DigestFlags {
  readonly digestOrigins?: readonly string[];
  readonly digestCache?: string;
  readonly digestCacheSize?: number;
  readonly digestAllowPrivate?: boolean;
}

export const withDigestFlags = (command: Command): Command =>
  command
    .addOption(
      new Option(
        '--digest-origins <origins>',
        'web origins, with commas, whose HLS segments are hashed here, so that viewers can share what has no digest tags (default: none)',
      )
        .env('P2P_DIGEST_ORIGINS')
        .argParser(digestOrigins),
    )
    .addOption(
      new Option(
        '--digest-cache <folder>',
        'folder that keeps these digests over a restart (default: in memory alone)',
      ).env('P2P_DIGEST_CACHE'),
    )
    .addOption(
      new Option('--digest-cache-size <size>', 'what is kept there at most, e.g. 1gb (default: 256mb)')
        .env('P2P_DIGEST_CACHE_SIZE')
        .argParser(byteSize),
    )
    .addOption(
      new Option(
        '--digest-allow-private [yes]',
        'the origins may be in private networks or on this machine; else their names must mean public addresses (default: no)',
      )
        .env('P2P_DIGEST_ALLOW_PRIVATE')
        .preset('yes')
        .argParser(yesOrNo),
    );

/** @throws P2PError `bad-flag` if there is a flag for a service that is off */
export function digestServiceOf({
  digestOrigins,
  digestCache,
  digestCacheSize,
  digestAllowPrivate,
}: DigestFlags): DigestServiceOptions | undefined {
  if (digestOrigins === undefined) {
    if (digestCache === undefined && digestCacheSize === undefined && digestAllowPrivate !== true) return undefined;
    throw new P2PError(
      'bad-flag',
      'Expected --digest-origins with the other --digest flags: without origins nothing is hashed. Name them, or leave the other flags away.',
    );
  }
  if (digestCacheSize !== undefined && digestCache === undefined)
    throw new P2PError('bad-flag', 'Expected --digest-cache with --digest-cache-size: it is the size of that folder.');
  return {
    origins: digestOrigins,
    ...(digestCache !== undefined && { cache: digestCache }),
    ...(digestCacheSize !== undefined && { cacheBytes: digestCacheSize }),
    ...(digestAllowPrivate !== undefined && { allowsPrivate: digestAllowPrivate }),
  };
}

/** All of the web is nobody's to hash. */
function digestOrigins(text: string): readonly string[] {
  const list = origins(text);
  if (list !== '*') return list;
  throw new InvalidArgumentError('Expected origins such as https://cdn.example, not *: the server fetches from them.');
}
