/** Socket.IO packets (protocol 5) as text, of the namespace `/` and without binary, as far as we speak it. https://socket.io/docs/v4/socket-io-protocol/ */
import { RETRY_AFTER_MAX_SECONDS } from '../../core/limits.ts';

export type Packet =
  /** From the client: let me in. From the server: you are in. */
  | { readonly kind: 'connect' }
  | { readonly kind: 'disconnect' }
  | { readonly kind: 'event'; readonly name: string; readonly untrusted: unknown }
  /** The answer to the question of that number. */
  | { readonly kind: 'answer'; readonly id: number; readonly untrusted: unknown }
  /** The server does not let us in, and is to be asked again after so many seconds; 0: it does not say. */
  | { readonly kind: 'refused'; readonly reason: string; readonly retryAfter: number };

/** Null: not a packet that we know. */
export function parsePacket(untrusted: string): Packet | null {
  const [, type = '', id, json] = /^([01234])(\d*)(.*)$/s.exec(untrusted) ?? [];
  const payload = json ? parseJSON(json) : undefined;
  const [first, second] = Array.isArray(payload) ? (payload as readonly unknown[]) : [];
  switch (type) {
    case '0':
      return { kind: 'connect' };
    case '1':
      return { kind: 'disconnect' };
    case '2':
      return typeof first === 'string' ? { kind: 'event', name: first, untrusted: second } : null;
    case '3':
      return id && Array.isArray(payload) ? { kind: 'answer', id: Number(id), untrusted: first } : null;
    case '4': {
      const refused = payload as { message?: unknown; data?: { retryAfter?: unknown } | null } | null | undefined;
      return {
        kind: 'refused',
        reason: String(refused?.message),
        retryAfter: Math.min(RETRY_AFTER_MAX_SECONDS, Math.max(0, Number(refused?.data?.retryAfter) || 0)),
      };
    }
    default:
      return null;
  }
}

export const CONNECT = '0';

/** @param id of a question, which wants an answer; '': none does */
export const eventPacket = (name: string, value: object, id: number | ''): string =>
  `2${id}${JSON.stringify([name, value])}`;

/** Undefined: no JSON. */
export function parseJSON(untrusted: string): unknown {
  try {
    return JSON.parse(untrusted);
  } catch {
    return undefined;
  }
}
