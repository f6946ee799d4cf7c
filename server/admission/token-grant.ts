/** What a join token allows: the one parser of its claims, and which swarms they cover. */
import * as v from 'valibot';
import { MAX_SWARM_ID_CHARACTERS } from '../../protocol/limits.ts';
import type { SwarmId } from '../../protocol/ids.ts';
import { MAX_PATTERN_STARS, MAX_SUBJECT_CHARACTERS, MAX_TOKEN_SWARMS } from './limits.ts';

export interface Grant {
  /** Whose it is: the claim `sub` (RFC 7519, 4.1.2). */
  readonly subject: string;
  /** Milliseconds since 1970: the claim `exp`. */
  readonly expires: number;
  /** Swarm ids, in which `*` stands for any characters: the claim `swarms`. */
  readonly swarms: readonly string[];
  /** Peers that the subject may have at a time: the claim `peers`. Infinity: it does not say. */
  readonly peers: number;
}

const pattern = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(MAX_SWARM_ID_CHARACTERS),
  v.check((text) => text.split('*').length - 1 <= MAX_PATTERN_STARS),
);

const claims = v.object({
  sub: v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_SUBJECT_CHARACTERS)),
  exp: v.pipe(v.number(), v.finite()),
  swarms: v.pipe(v.array(pattern), v.minLength(1), v.maxLength(MAX_TOKEN_SWARMS)),
  peers: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
});

/** Undefined: these are no claims of a join token. Claims that are not ours are ignored. */
export function parseClaims(untrusted: unknown): Grant | undefined {
  const parsed = v.safeParse(claims, untrusted);
  if (!parsed.success) return undefined;
  const { sub, exp, swarms, peers = Infinity } = parsed.output;
  return { subject: sub, expires: 1000 * exp, swarms, peers };
}

export const covers = ({ swarms }: Pick<Grant, 'swarms'>, swarm: SwarmId): boolean =>
  swarms.some((item) => matches(item, swarm));

/** `*` stands for any characters, none included. Each part is looked for once, from left to right: no pattern makes that slow. */
function matches(item: string, swarm: string): boolean {
  const [first = '', ...rest] = item.split('*');
  const last = rest.pop();
  if (last === undefined) return swarm === first;
  if (!swarm.startsWith(first)) return false;
  let from = first.length;
  for (const part of rest) {
    const at = swarm.indexOf(part, from);
    if (at < 0) return false;
    from = at + part.length;
  }
  return swarm.length - last.length >= from && swarm.endsWith(last);
}
