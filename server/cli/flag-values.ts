/** Reads the values of flags and of their environment variables. Each throws with what was expected. */
import { InvalidArgumentError } from 'commander';
import type { BlockList } from 'node:net';
import type { AllowedOrigins } from '../allowed-origins.ts';
import { MAX_TURN_TTL_SECONDS, MIN_TURN_TTL_SECONDS } from '../limits.ts';
import { addressList } from '../metrics/may-see-metrics.ts';

/** What no other function here reads: any text but none, for that is a variable that was never filled in. */
export function someText(text: string): string {
  if (text.trim() !== '') return text;
  throw new InvalidArgumentError('Expected a value, but it is empty. Leave it out for the default.');
}

export function port(text: string): number {
  const value = Number(text);
  if (/^\d{1,5}$/.test(text) && value <= 65_535) return value;
  throw new InvalidArgumentError('Expected a port from 0 to 65535; 0 takes any free one.');
}

/** `*`, or web origins with commas between them. */
export function origins(text: string): AllowedOrigins {
  if (text.trim() === '*') return '*';
  const list = text.split(/[\s,]+/).filter((item) => item !== '');
  const isOrigin = (item: string): boolean =>
    URL.canParse(item) && /^https?:$/.test(new URL(item).protocol) && new URL(item).origin === item;
  if (list.length > 0 && list.every(isOrigin)) return list;
  throw new InvalidArgumentError(
    'Expected * or origins such as https://a.example,https://b.example:8443, with no path.',
  );
}

/** A number from `least` on. */
export const amount =
  (least: number) =>
  (text: string): number => {
    const value = Number(text);
    if (/^\d{1,12}(\.\d{1,6})?$/.test(text) && value >= least) return value;
    throw new InvalidArgumentError(`Expected a number from ${least} on.`);
  };

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Seconds of `90s`, `15m`, `1h` or `7d`. */
export function duration(text: string): number {
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const seconds = Number(count) * (SECONDS[unit] ?? NaN);
  if (seconds > 0) return seconds;
  throw new InvalidArgumentError('Expected a time such as 90s, 15m, 1h or 7d.');
}

/** URLs of STUN or TURN servers (RFC 7064, RFC 7065); the flag may be repeated, a value may hold several. */
export const iceURLs =
  (scheme: 'stun' | 'turn') =>
  (text: string, previous: readonly string[] | undefined): readonly string[] => {
    const list = text.split(/[\s,]+/).filter((item) => item !== '');
    const form = new RegExp(`^${scheme}s?:[^\\s/?#@]+(\\?transport=(udp|tcp))?$`);
    if (list.length > 0 && list.every((item) => form.test(item))) return [...(previous ?? []), ...list];
    throw new InvalidArgumentError(`Expected ${scheme}:host or ${scheme}:host:port, also ${scheme}s:.`);
  };

/** Seconds. */
export function turnTTL(text: string): number {
  const seconds = Number(text);
  if (/^\d{1,6}$/.test(text) && seconds >= MIN_TURN_TTL_SECONDS && seconds <= MAX_TURN_TTL_SECONDS) return seconds;
  throw new InvalidArgumentError(
    `Expected a number of seconds from ${MIN_TURN_TTL_SECONDS} to ${MAX_TURN_TTL_SECONDS}, such as 3600.`,
  );
}

const UNITS = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3, tb: 1024 ** 4 } as const;

/** A number of bytes: `500mb`, `1.5gb`; units of 1,024. */
export function byteSize(text: string): number {
  const [, number, unit = 'b'] = /^(\d{1,6}(?:\.\d{1,3})?)\s*([kmgt]?b)?$/i.exec(text.trim()) ?? [];
  const bytes = Math.round(Number(number) * UNITS[unit.toLowerCase() as keyof typeof UNITS]);
  if (bytes > 0) return bytes;
  throw new InvalidArgumentError('Expected a size such as 500mb or 1gb.');
}

export function onOff(text: string): boolean {
  if (text === 'on' || text === 'off') return text === 'on';
  throw new InvalidArgumentError('Expected on or off.');
}

/** `1%` or `0.01`. @returns 0 to 1 */
export function share(text: string): number {
  const [, digits, percent] = /^(\d{1,3}(?:\.\d{1,6})?)(%?)$/.exec(text) ?? [];
  const value = Number(digits) / (percent === '%' ? 100 : 1);
  if (digits !== undefined && value <= 1) return value;
  throw new InvalidArgumentError('Expected a share from 0% to 100%, or from 0 to 1.');
}

/** Whole or not, up to ten years. */
export function seconds(text: string): number {
  const value = Number(text);
  if (/^\d{1,9}(\.\d{1,3})?$/.test(text) && value <= 315_360_000) return value;
  throw new InvalidArgumentError('Expected seconds, such as 30.');
}

/** Addresses and prefixes with commas between them. */
export function prefixes(text: string): BlockList {
  const items = text.split(/[\s,]+/).filter((item) => item !== '');
  const list = items.length > 0 ? addressList(items) : undefined;
  if (list !== undefined) return list;
  throw new InvalidArgumentError('Expected addresses or prefixes such as 10.0.0.0/8,fd00::/8.');
}

/** For commander: of a flag that may stand alone. */
export function yesOrNo(text: string): boolean {
  if (/^(yes|true|1)$/i.test(text)) return true;
  if (/^(no|false|0)$/i.test(text)) return false;
  throw new InvalidArgumentError('Expected yes or no.');
}
