/**
 * socket.io packets as our clients send them: text, of the namespace `/`, one CONNECT before all else, and no acknowledgements, for the server asks
 * nothing. What else comes ends the connection before it is looked at further: binary attachments that are announced and never come would be waited
 * for, ten of 64 KiB each, and every CONNECT would make a session.
 */
import { Decoder, Encoder, PacketType } from 'socket.io-parser';
import type { RefusalReason } from './refusals.ts';

/** What socket.io's option `parser` takes. */
export interface TextParser {
  readonly Encoder: typeof Encoder;
  readonly Decoder: typeof Decoder;
}

/** @param refused called for each packet that ends its connection */
export function textParser(
  refused: (reason: Extract<RefusalReason, 'bad-packet' | 'second-connect'>) => void,
): TextParser {
  class TextDecoder extends Decoder {
    /** Has the client said CONNECT? */
    #isConnected = false;

    override add(untrusted: unknown): void {
      const type = typeof untrusted === 'string' ? untrusted.charAt(0) : '';
      if (type === CONNECT && this.#isConnected) {
        refused('second-connect');
        throw new Error('connected already');
      }
      try {
        if (!isFromClient(untrusted, this.#isConnected)) throw new Error('not a packet that clients send');
        this.#isConnected = true;
        super.add(untrusted);
      } catch (error) {
        refused('bad-packet');
        throw error; // socket.io closes the connection; nobody is told why
      }
    }
  }
  return { Encoder, Decoder: TextDecoder };
}

const CONNECT = String(PacketType.CONNECT);
const DISCONNECT = String(PacketType.DISCONNECT);
const EVENT = String(PacketType.EVENT);

/** By its first characters, so that nothing is parsed for what is refused anyway. A `/` there begins the name of another namespace. */
function isFromClient(untrusted: unknown, isConnected: boolean): untrusted is string {
  if (typeof untrusted !== 'string' || untrusted.charAt(1) === '/') return false;
  const type = untrusted.charAt(0);
  return isConnected ? type === EVENT || type === DISCONNECT : type === CONNECT;
}
