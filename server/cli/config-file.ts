/** The flags of a command from a file: JSON, each key a flag without its dashes. What the command line or the environment says wins. */
import { readFileSync } from 'node:fs';
import { InvalidArgumentError, type Command, type Option } from 'commander';
import { P2PError } from '../../protocol/error.ts';

/**
 * All flags of a command, those of the file included. May be called again when the file has changed; the command itself stays as it is.
 * @param file undefined: there is none
 * @throws P2PError `bad-flag` that names the key
 */
export function flagsOf(command: Command, file: string | undefined): Readonly<Record<string, unknown>> {
  const values = file === undefined ? {} : readConfig(file);
  const flags: Record<string, unknown> = { ...command.opts() };
  for (const [key, value] of Object.entries(values)) {
    const option = command.options.find((candidate) => keyOf(candidate) === key);
    if (option === undefined || key === 'config')
      throw wrong(file, `"${key}" is no flag that it may hold. There are ${keysOf(command).join(', ')}.`);
    const parsed = parse(option, value, file);
    const name = option.attributeName();
    const source = command.getOptionValueSource(name);
    if (source === undefined || source === 'default') flags[name] = parsed;
  }
  return flags;
}

const keyOf = ({ long }: Option): string => (long ?? '').replace(/^--/, '');

const keysOf = ({ options }: Command): string[] => options.map(keyOf).filter((key) => key !== 'config');

function readConfig(file: string): object {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw wrong(file, `it can't be read (${reason}). Check the path and its permissions.`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw wrong(file, `it is no JSON (${error instanceof Error ? error.message : String(error)}).`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw wrong(file, 'it is no object such as { "port": 8080 }.');
}

/** As if it had been said on the command line. */
function parse(option: Option, value: unknown, file: string | undefined): unknown {
  const key = keyOf(option);
  const texts = (Array.isArray(value) ? (value as unknown[]) : [value]).map((item) => {
    // a flag that may stand alone
    if (typeof item === 'boolean' && option.optional) return String(item);
    if (typeof item === 'string' || typeof item === 'number') return String(item);
    throw wrong(file, `"${key}" is ${option.optional ? 'true or false' : 'text, a number, or a list of them'}.`);
  });
  // a flag that may be repeated takes one after the other, all others a list with commas
  const said = option.variadic ? texts : [texts.join(',')];
  try {
    let parsed: unknown;
    for (const text of said) parsed = option.parseArg ? option.parseArg(text, parsed) : option.variadic ? said : text;
    return parsed;
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw wrong(file, `"${key}" is not understood. ${error.message}`);
    throw error;
  }
}

const wrong = (file: string | undefined, what: string): P2PError =>
  new P2PError('bad-flag', `The file of --config, ${file ?? ''}: ${what}`);
