import { SignJWT } from 'jose';
import { Command, InvalidArgumentError, Option } from 'commander';
import { parseClaims } from '../admission/token-grant.ts';
import { P2PError } from '../../protocol/error.ts';
import { amount, duration } from './flag-values.ts';
import { readSecrets } from './token-files.ts';

interface TokenFlags {
  readonly authSecretFile: string;
  readonly swarms: readonly string[];
  readonly subject: string;
  readonly expires: number;
  readonly peers?: number;
}

/** `p2p-elements token`. @param print writes one line to stdout */
export function tokenCommand(print: (line: string) => void): Command {
  return new Command('token')
    .description('print a join token for <p2p-mesh token="…">, signed with the secret that "serve" has, too')
    .addOption(
      new Option('--auth-secret-file <file>', 'the secret, 32 bytes or more; of several, one a line, the first')
        .env('P2P_AUTH_SECRET_FILE')
        .makeOptionMandatory(),
    )
    .requiredOption(
      '--swarms <patterns...>',
      "swarms that it opens: a web origin for a page's assets, a playlist's URL without its query, or a name; * stands for any characters: 'https://school.example*'",
    )
    .requiredOption('--subject <name>', 'whose it is: what --peers counts, and who speaks when a bad peer is reported')
    .requiredOption('--expires <time>', 'for how long it is valid: 90s, 15m, 1h, 7d', duration)
    .option('--peers <n>', 'peers that the subject may have at a time (default: any number)', whole)
    .action(async (flags: TokenFlags) => print(await makeToken(flags, Date.now())));
}

/** @param now milliseconds since 1970 @throws P2PError `bad-flag` for a secret or claims that the server would not take */
export async function makeToken(
  { authSecretFile, swarms, subject, expires, peers }: TokenFlags,
  now: number,
): Promise<string> {
  const [secret] = readSecrets(authSecretFile);
  const iat = Math.floor(now / 1000);
  const claims = { sub: subject, exp: iat + expires, swarms, ...(peers !== undefined && { peers }) };
  if (parseClaims(claims) === undefined)
    throw new P2PError(
      'bad-flag',
      'Expected at most 64 --swarms of 1 to 512 characters with at most 8 * each, and a --subject of 1 to 256 characters.',
    );
  return new SignJWT({ ...claims, iat }).setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).sign(secret);
}

function whole(text: string): number {
  const value = amount(1)(text);
  if (Number.isInteger(value)) return value;
  throw new InvalidArgumentError('Expected a whole number from 1 on.');
}
