#!/usr/bin/env node
/** The `p2p-elements` command. Exit codes: 0 done, 1 it could not be done, 2 it was asked for wrongly. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { P2PError } from '../protocol/error.ts';
import { StartError } from './cli/listen-error.ts';
import { manifestCommand } from './cli/manifest-command.ts';
import { serveCommand } from './cli/serve-command.ts';
import { tokenCommand } from './cli/token-command.ts';
import { packageRoot } from './package-root.ts';

const print = (line: string): void => void process.stdout.write(`${line}\n`);

async function main(): Promise<number | undefined> {
  const program = new Command('p2p-elements')
    .description('Web components that turn the people looking at a page into its CDN.')
    .version(packageVersion())
    .addCommand(serveCommand(print))
    .addCommand(manifestCommand(print))
    .addCommand(tokenCommand(print));
  for (const command of [program, ...program.commands])
    command.exitOverride().showSuggestionAfterError().allowExcessArguments(false);
  try {
    await program.parseAsync();
    return undefined;
  } catch (error) {
    // commander has printed its own message, or the help
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    process.stderr.write(`error: ${messageOf(error)}\n`);
    return error instanceof P2PError && error.code === 'bad-flag' ? 2 : 1;
  }
}

/** Our own errors say what to do; of others the reason must do, and the whole under DEBUG. */
function messageOf(error: unknown): string {
  if (error instanceof P2PError || error instanceof StartError) return error.message;
  if (process.env['DEBUG'] !== undefined && error instanceof Error) return error.stack ?? error.message;
  return `${error instanceof Error ? error.message : String(error)}. Run again with DEBUG=p2p:* for more.`;
}

function packageVersion(): string {
  const parsed: unknown = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8'));
  return typeof parsed === 'object' && parsed !== null && 'version' in parsed ? String(parsed.version) : 'unknown';
}

const code = await main();
if (code !== undefined) process.exit(code);
