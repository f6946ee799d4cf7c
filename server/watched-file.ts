/** A small file of the operator's that may change while the server runs. */
import { readFileSync, statSync, unwatchFile, watchFile } from 'node:fs';
import { P2PError } from '../protocol/error.ts';
import { FILE_CHECK_MS } from './limits.ts';
import type { Logger } from './log.ts';

export interface WatchedFile<T> {
  /** What the file said when it could last be read. */
  readonly value: T;
  close(): void;
}

export interface WatchedFileOptions<T> {
  /** For messages: `--sites`. */
  readonly flag: string;
  readonly path: string;
  /** A larger file is not read. */
  readonly maxBytes: number;
  /** @throws P2PError where the text is not as expected */
  readonly parse: (text: string) => T;
  readonly log?: Logger | undefined;
  /** Milliseconds between two looks at it. Default: FILE_CHECK_MS. */
  readonly interval?: number;
}

/**
 * Reads the file, and again whenever it changes. It is looked at by name and now and then: editors and orchestrators put another file in its
 * place, which ends what the operating system tells of the first. One that can't be read any more leaves the last value in force and a line in the log.
 * @throws P2PError `bad-flag` if it can't be read now
 */
export function watchFileAt<T>({
  flag,
  path,
  maxBytes,
  parse,
  log,
  interval = FILE_CHECK_MS,
}: WatchedFileOptions<T>): WatchedFile<T> {
  let text = readFileAt({ flag, path, maxBytes });
  let value = parse(text);
  const changed = (): void => {
    try {
      const now = readFileAt({ flag, path, maxBytes });
      if (now === text) return;
      value = parse(now);
      text = now;
      log?.info({ file: path }, `${flag} has been read again`);
    } catch (error) {
      log?.error(
        { file: path, reason: messageOf(error) },
        `${flag} could not be read again: what it said before stays in force`,
      );
    }
  };
  watchFile(path, { interval, persistent: false }, changed);
  return {
    get value() {
      return value;
    },
    close: () => unwatchFile(path, changed),
  };
}

/** Its text, once. @throws P2PError `bad-flag` if it can't be read */
export function readFileAt({
  flag,
  path,
  maxBytes,
}: Pick<WatchedFileOptions<unknown>, 'flag' | 'path' | 'maxBytes'>): string {
  let reason: string;
  try {
    const stats = statSync(path);
    if (stats.isFile() && stats.size <= maxBytes) return readFileSync(path, 'utf8');
    reason = stats.isFile() ? `is larger than ${maxBytes} bytes` : 'is no file';
  } catch (error) {
    reason = `can't be read (${error instanceof Error && 'code' in error ? String(error.code) : String(error)})`;
  }
  throw new P2PError(
    'bad-flag',
    `Expected a text file in ${flag}, but ${path} ${reason}. Check the path and its permissions.`,
  );
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
