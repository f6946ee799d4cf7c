import { isIPv6 } from 'node:net';

export interface ServerURLs {
  /** For a browser on this machine; undefined if the server listens on another address only. */
  readonly local: string | undefined;
  /** For browsers on the same network. */
  readonly lan: readonly string[];
}

export interface ListeningOn {
  /** The host that was asked for; undefined for all interfaces. */
  readonly host: string | undefined;
  readonly port: number;
  readonly isSecure: boolean;
  /** This machine's addresses. */
  readonly addresses: readonly string[];
}

/** URLs under which the server can be reached. */
export function serverURLs({ host, port, isSecure, addresses }: ListeningOn): ServerURLs {
  const url = (name: string): string => `${isSecure ? 'https' : 'http'}://${isIPv6(name) ? `[${name}]` : name}:${port}`;
  if (host === undefined || host === '::' || host === '0.0.0.0')
    return { local: url('localhost'), lan: addresses.map(url) };
  if (/^(localhost|127\.\d+\.\d+\.\d+|::1)$/.test(host)) return { local: url(host), lan: [] };
  return { local: undefined, lan: [url(host)] };
}
