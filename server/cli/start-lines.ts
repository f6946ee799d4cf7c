import type { ServerURLs } from '../server-urls.ts';

/** What `serve` prints for people when it is up: where it is, and what is missing there on plain HTTP. */
export function startLines({ local, lan }: ServerURLs, media: string, isSecure: boolean): string[] {
  const lines = [`p2p-elements serves its demo, and ${media} at /media/.`];
  if (local !== undefined) lines.push(`  on this machine  ${local}`);
  for (const url of lan) lines.push(`  on the LAN       ${url}`);
  if (lan.length > 0 && !isSecure) {
    lines.push(
      'A LAN address on plain HTTP has no service worker: <p2p-…> elements still share, but plain <img> and fetch() do not, and nothing works offline.',
      'For all of it, serve HTTPS: --tls-cert cert.pem --tls-key key.pem',
    );
  }
  return lines;
}
