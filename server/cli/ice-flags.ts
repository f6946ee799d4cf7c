import { Option, type Command } from 'commander';
import { TURN_TTL_SECONDS } from '../limits.ts';
import { iceURLs, turnTTL } from './flag-values.ts';

const flag = (flags: string, description: string, variable: string): Option =>
  new Option(flags, description).env(variable);

/** The flags that say how viewers reach each other; `iceOf` reads them. */
export const withIceFlags = (command: Command): Command =>
  command
    .addOption(
      flag(
        '--stun <urls...>',
        'STUN servers, e.g. stun:stun.example:3478; a LAN needs none (default: none)',
        'P2P_STUN',
      ).argParser(iceURLs('stun')),
    )
    .addOption(
      flag(
        '--turn <urls...>',
        'TURN servers, e.g. turn:turn.example:3478?transport=udp (default: none)',
        'P2P_TURN',
      ).argParser(iceURLs('turn')),
    )
    .addOption(
      flag('--turn-username <name>', 'for all --turn servers; every visitor gets to see it', 'P2P_TURN_USERNAME'),
    )
    .addOption(
      flag(
        '--turn-credential <password>',
        'for all --turn servers; every visitor gets to see it',
        'P2P_TURN_CREDENTIAL',
      ),
    )
    .addOption(
      flag(
        '--turn-secret-file <file>',
        'instead of these two, credentials that expire: the secret that the --turn servers have as static-auth-secret (coturn); read again when it changes',
        'P2P_TURN_SECRET_FILE',
      ),
    )
    .addOption(
      flag(
        '--turn-ttl <seconds>',
        `how long such credentials may be used to begin a connection; pages ask for new ones in time (default: ${TURN_TTL_SECONDS})`,
        'P2P_TURN_TTL',
      ).argParser(turnTTL),
    );
