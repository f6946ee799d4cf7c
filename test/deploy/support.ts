/** What the tests of `deploy/` share. */
import { readFile } from 'node:fs/promises';
import { serveCommand } from '../../server/cli/serve-command.ts';
import { ROOT } from '../harness/serve.ts';

export const deployed = (name: string): Promise<string> => readFile(`${ROOT}deploy/${name}`, 'utf8');

/** What an operator adapts first, as it is given. */
export const exampleConfig = async (): Promise<Readonly<Record<string, unknown>>> =>
  JSON.parse(await deployed('etc/p2p.json')) as Record<string, unknown>;

const options = serveCommand(() => undefined).options;

/** Of these words of a command line, the flags that `serve` does not have. */
export const unknownFlags = (words: readonly string[]): string[] =>
  words.filter((word) => word.startsWith('--') && !options.some(({ long }) => long === word.replace(/=.*/s, '')));

/** Of these environment variables, those that look like ours and mean nothing. */
export const unknownVariables = (names: readonly string[]): string[] =>
  names.filter((name) => name.startsWith('P2P_') && !options.some(({ envVar }) => envVar === name));
