/** The flags that say who is let in, and how much each may do. */
import { Option, type Command } from 'commander';
import { P2PError } from '../../protocol/error.ts';
import type { AdmissionOptions } from '../admission/admission.ts';
import { DEFAULT_LIMITS, type AdmissionLimits } from '../admission/limits.ts';
import type { TokenKeys } from '../admission/token-check.ts';
import type { AllowedOrigins } from '../allowed-origins.ts';
import type { Logger } from '../log.ts';
import { amount, origins } from './flag-values.ts';
import { jwksAt, secretsAt } from './token-files.ts';

export interface AdmissionFlags {
  readonly origins: AllowedOrigins;
  readonly authSecretFile?: string;
  readonly authJwks?: string;
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  readonly maxConnectionsPerSite: number;
  readonly maxConnectsPerAddress: number;
  readonly maxJoins: number;
  readonly maxSignals: number;
  readonly maxClaims: number;
  readonly maxBytes: number;
  readonly maxMessageBytes: number;
  readonly joinTimeout: number;
}

/** Smallest `--max-message-bytes`: an offer of a browser with many network interfaces in its JSON. */
const MIN_MESSAGE_BYTES = 16 * 1024;

/** Flag, the limit that it sets, what it says, and its least value. */
const LIMITS: readonly (readonly [string, keyof AdmissionLimits, string, number])[] = [
  ['--max-connections', 'connections', 'connections in all', 1],
  ['--max-connections-per-address', 'connectionsPerAddress', 'connections of one address (IPv6: of one /56)', 1],
  ['--max-connections-per-site', 'connectionsPerSite', 'connections of one site', 1],
  ['--max-connects-per-address', 'connectsPerAddress', 'new connections of one address, a second', 0.1],
  ['--max-joins', 'joins', 'swarms that one peer joins, a second; leaving some counts as one', 0.1],
  ['--max-signals', 'signals', 'signals of one peer, a second', 0.1],
  ['--max-claims', 'claims', 'claims of one peer, a second', 0.1],
  ['--max-bytes', 'bytes', 'bytes that one peer sends, a second', 1024],
  ['--max-message-bytes', 'messageBytes', 'bytes of one message', MIN_MESSAGE_BYTES],
  ['--join-timeout', 'joinSeconds', 'seconds that a connection may take to join', 1],
];

const variableOf = (flag: string): string => `P2P_${flag.slice(2).toUpperCase().replaceAll('-', '_')}`;

export function addAdmissionFlags(command: Command): Command {
  const add = (flags: string, description: string): Option =>
    new Option(flags, description).env(variableOf(flags.split(' ')[0] ?? ''));
  command
    .addOption(
      add(
        '--origins <origins>',
        'whose pages may join: * or a list with commas; with a list, clients that name no origin may not',
      )
        .argParser(origins)
        .default('*'),
    )
    .addOption(
      add(
        '--auth-secret-file <file>',
        'join tokens are required, signed with a secret in this file (HS256; one a line, 32 bytes or more), which is read again when it changes; "p2p-elements token" makes them with the first',
      ),
    )
    .addOption(
      add(
        '--auth-jwks <url or file>',
        'join tokens are required, signed with a private key whose public one is in this JSON Web Key Set; what is there is read again',
      ),
    );
  for (const [flag, limit, description, least] of LIMITS)
    command.addOption(add(`${flag} <n>`, description).argParser(amount(least)).default(DEFAULT_LIMITS[limit]));
  return command;
}

/** @throws P2PError `bad-flag` for files that can't be read or hold something else, and flags that don't go together */
export function admissionOf(flags: AdmissionFlags, log?: Logger): AdmissionOptions {
  const tokens = tokenKeysOf(flags, log);
  return {
    origins: flags.origins,
    limits: {
      connections: flags.maxConnections,
      connectionsPerAddress: flags.maxConnectionsPerAddress,
      connectionsPerSite: flags.maxConnectionsPerSite,
      connectsPerAddress: flags.maxConnectsPerAddress,
      joins: flags.maxJoins,
      signals: flags.maxSignals,
      claims: flags.maxClaims,
      bytes: flags.maxBytes,
      messageBytes: flags.maxMessageBytes,
      joinSeconds: flags.joinTimeout,
    },
    ...(tokens && { tokens }),
  };
}

function tokenKeysOf({ authSecretFile, authJwks }: AdmissionFlags, log?: Logger): TokenKeys | undefined {
  if (authSecretFile !== undefined && authJwks !== undefined)
    throw new P2PError(
      'bad-flag',
      'Expected either --auth-secret-file or --auth-jwks, not both: a token is signed in one of the two ways. Leave one away.',
    );
  if (authSecretFile !== undefined) return { secret: secretsAt(authSecretFile, log) };
  return authJwks === undefined ? undefined : { jwks: jwksAt(authJwks, log) };
}
