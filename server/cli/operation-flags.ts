/** Flags for whoever operates a server: metrics, holdout, the switch, draining, headers, logs, the file of flags. */
import type { BlockList } from 'node:net';
import { Option, type Command } from 'commander';
import { P2PError } from '../../protocol/error.ts';
import { DRAIN_SECONDS } from '../limits.ts';
import { LOG_LEVELS, type LogLevel } from '../log.ts';
import { prefixes, onOff, port, seconds, share, yesOrNo } from './flag-values.ts';

export interface OperationFlags {
  readonly config?: string;
  readonly mesh: boolean;
  readonly holdout: number;
  readonly metricsPort?: number;
  readonly metricsHost?: string;
  readonly metricsAllow?: BlockList;
  readonly drainSeconds: number;
  readonly hsts: number;
  readonly logLevel: LogLevel;
  readonly logAddresses: boolean;
}

const flag = (flags: string, description: string, variable: string): Option =>
  new Option(flags, description).env(variable);

export function addOperationFlags(command: Command): Command {
  return addMetricsFlags(command)
    .addOption(
      flag(
        '--config <file>',
        'JSON with any of these flags, e.g. {"port": 8080, "mesh": "on"}; flags and variables win over it; SIGHUP reads it again',
        'P2P_CONFIG',
      ),
    )
    .addOption(
      flag('--mesh <on|off>', 'off: nobody shares, from the next join on; all load from the origin', 'P2P_MESH')
        .argParser(onOff)
        .default(true, 'on'),
    )
    .addOption(
      flag(
        '--holdout <share>',
        'share of the viewers that never get the mesh, to compare the others with: 1% or 0.01',
        'P2P_HOLDOUT',
      )
        .argParser(share)
        .default(0, '0%'),
    )
    .addOption(
      flag(
        '--drain-seconds <seconds>',
        'time over which SIGTERM sends viewers away, and responses may end; sooner over when nobody is left',
        'P2P_DRAIN_SECONDS',
      )
        .argParser(seconds)
        .default(DRAIN_SECONDS),
    )
    .addOption(
      flag(
        '--hsts <seconds>',
        'with TLS: browsers are to come by HTTPS only, for so long (Strict-Transport-Security); counts for all ports of the host',
        'P2P_HSTS',
      )
        .argParser(seconds)
        .default(0),
    )
    .addOption(
      flag(
        '--log-level <level>',
        'what is logged to stderr, as JSON lines; debug has one for each response',
        'P2P_LOG_LEVEL',
      )
        .choices(LOG_LEVELS)
        .default('info'),
    )
    .addOption(
      flag('--log-addresses [yes]', 'logs hold addresses of clients, which are personal data', 'P2P_LOG_ADDRESSES')
        .preset('yes')
        .argParser(yesOrNo)
        .default(false, 'no'),
    );
}

function addMetricsFlags(command: Command): Command {
  return command
    .addOption(
      flag(
        '--metrics-port <port>',
        'port of /metrics (default: that of --port, where only programs on this machine and --metrics-allow see it)',
        'P2P_METRICS_PORT',
      ).argParser(port),
    )
    .addOption(flag('--metrics-host <address>', 'address for --metrics-port (default: 127.0.0.1)', 'P2P_METRICS_HOST'))
    .addOption(
      flag(
        '--metrics-allow <prefixes>',
        'who else may see /metrics on --port: addresses or prefixes with commas, e.g. 10.0.0.0/8; a proxy that is allowed shows it to all',
        'P2P_METRICS_ALLOW',
      ).argParser(prefixes),
    );
}

/** @throws P2PError `bad-flag` for those that would say nothing beside the others */
export function checkMetricsFlags({ metricsPort, metricsHost, metricsAllow }: OperationFlags): void {
  if (metricsPort === undefined && metricsHost !== undefined)
    throw new P2PError('bad-flag', 'Expected --metrics-port with --metrics-host: without it /metrics is on --port.');
  if (metricsPort !== undefined && metricsAllow !== undefined)
    throw new P2PError(
      'bad-flag',
      'Expected --metrics-allow without --metrics-port: a port of its own shows /metrics to whoever reaches it. Keep others off by --metrics-host, or a firewall.',
    );
}
