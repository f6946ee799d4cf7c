import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { P2PError } from '../../protocol/error.ts';
import { createServer, type P2PServer, type ServerOptions } from '../create-server.ts';
import type { AllowedOrigins } from '../allowed-origins.ts';
import { createLog } from '../log.ts';
import { packageRoot } from '../package-root.ts';
import { flagsOf } from './config-file.ts';
import { addAdmissionFlags, admissionOf, type AdmissionFlags } from './admission-flags.ts';
import { digestServiceOf, withDigestFlags, type DigestFlags } from './digest-flags.ts';
import { origins, port, someText } from './flag-values.ts';
import { withIceFlags } from './ice-flags.ts';
import { iceOf, type IceFlags } from './ice-servers.ts';
import { listenError } from './listen-error.ts';
import { siteOptions, withSiteFlags, type SiteFlags } from './site-flags.ts';
import { addOperationFlags, checkMetricsFlags, type OperationFlags } from './operation-flags.ts';
import { reloadOnHangup } from './reload-on-hangup.ts';
import { startLines } from './start-lines.ts';
import { stopOnSignal } from './stop-on-signal.ts';

interface ServeFlags extends IceFlags, SiteFlags, AdmissionFlags, DigestFlags, OperationFlags {
  readonly port: number;
  readonly host?: string;
  readonly media?: string;
  readonly cors: AllowedOrigins;
  readonly redis?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

/** `p2p-elements serve`. @param print writes one line to stdout */
export function serveCommand(print: (line: string) => void): Command {
  const command = addOperationFlags(addAdmissionFlags(withSiteFlags(withDigestFlags(withIceFlags(serveFlags())))));
  for (const option of command.options) if (option.parseArg === undefined) option.argParser(someText);
  return command.action(async () => {
    const { config } = command.opts<ServeFlags>();
    await serve(() => flagsOf(command, config) as unknown as ServeFlags, print);
  });
}

function serveFlags(): Command {
  const flag = (flags: string, description: string, variable: string): Option =>
    new Option(flags, description).env(variable);
  return new Command('serve')
    .description(
      'serve the demo, a media folder with digests, and the signaling that introduces browsers to each other',
    )
    .addOption(
      flag('--port <port>', 'port to listen on; 0 takes any free one', 'P2P_PORT').argParser(port).default(8080),
    )
    .addOption(flag('--host <address>', 'address to listen on (default: all)', 'P2P_HOST'))
    .addOption(flag('--media <folder>', 'folder served at /media/ (default: the sample of the package)', 'P2P_MEDIA'))
    .addOption(
      flag(
        '--cors <origins>',
        'who may read media, manifest and leaves from other web origins: * or a list with commas; they are public, read-only and fetched without credentials',
        'P2P_CORS',
      )
        .argParser(origins)
        .default('*'),
    )
    .addOption(
      flag(
        '--redis <url>',
        'Redis through which several servers share their swarms, e.g. redis://127.0.0.1:6379 (default: this server is alone)',
        'P2P_REDIS',
      ),
    )
    .addOption(flag('--tls-cert <file>', 'certificate chain, PEM: serves HTTPS', 'P2P_TLS_CERT'))
    .addOption(flag('--tls-key <file>', 'private key of the certificate, PEM', 'P2P_TLS_KEY'));
}

/** @param read gives the flags as they are now: the file of `--config` may change */
async function serve(read: () => ServeFlags, print: (line: string) => void): Promise<void> {
  const flags = read();
  const log = createLog(flags.logLevel);
  const tls = readTLS(flags);
  const digestService = digestServiceOf(flags);
  checkMetricsFlags(flags);
  if (flags.hsts > 0 && tls === undefined)
    throw new P2PError(
      'bad-flag',
      'Expected --tls-cert and --tls-key with --hsts: without TLS a proxy in front has to say it.',
    );
  const server = createWith({
    port: flags.port,
    cors: flags.cors,
    iceServers: iceOf(flags, log),
    ...siteOptions(flags, log),
    admission: admissionOf(flags, log),
    log,
    mesh: flags.mesh,
    holdout: flags.holdout,
    logAddresses: flags.logAddresses,
    hsts: tls === undefined ? 0 : flags.hsts,
    ...(flags.metricsPort !== undefined && { metricsPort: flags.metricsPort }),
    ...(flags.metricsHost !== undefined && { metricsHost: flags.metricsHost }),
    ...(flags.metricsAllow !== undefined && { metricsAllow: flags.metricsAllow }),
    ...(flags.host !== undefined && { host: flags.host }),
    ...(flags.media !== undefined && { media: flags.media }),
    ...(flags.redis !== undefined && { redis: flags.redis }),
    ...(tls !== undefined && { tls }),
    ...(digestService !== undefined && { digestService }),
  });
  try {
    await server.listen();
  } catch (error) {
    throw listenError(error, flags.port, flags.host);
  }
  // without anything to read again SIGHUP means what it always does: the terminal is gone
  const mayReload = flags.config !== undefined || tls !== undefined;
  const now = mayReload ? reloadOnHangup({ server, log, flags, read, readTLS }) : () => flags;
  stopOnSignal(server, log, () => now().drainSeconds);
  const media = flags.media === undefined ? join(packageRoot(), 'demo', 'media') : resolve(flags.media);
  for (const line of startLines(server.urls, media, tls !== undefined)) print(line);
  if (server.metricsPort !== undefined) log.info({ port: server.metricsPort }, 'metrics');
  log.info({ urls: server.urls, media }, 'listening');
}

function createWith(options: ServerOptions): P2PServer {
  try {
    return createServer(options);
  } catch (error) {
    if (error instanceof P2PError || options.tls === undefined) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new P2PError(
      'bad-flag',
      `Expected a certificate and its private key in PEM form in --tls-cert and --tls-key, but they can't be used (${reason}). Check that they belong together.`,
    );
  }
}

function readTLS({ tlsCert, tlsKey }: ServeFlags): ServerOptions['tls'] {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined)
    throw new P2PError(
      'bad-flag',
      'Expected --tls-cert and --tls-key together. Give both for HTTPS, or none for plain HTTP.',
    );
  return { cert: readFlagFile('--tls-cert', tlsCert), key: readFlagFile('--tls-key', tlsKey) };
}

function readFlagFile(flag: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new P2PError(
      'bad-flag',
      `Expected a PEM file in ${flag}, but ${path} can't be read (${reason}). Check the path and its permissions.`,
    );
  }
}
