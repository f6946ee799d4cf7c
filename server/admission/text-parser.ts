/**
 * socket.io packets as our clients send them: text, of the namespace `/`, and no acknowledgements, for the server asks nothing. All else ends the
 * connection before it is looked at further: binary attachments that are announced and never come would be waited for, ten of 64 KiB each.
 */
import { Decoder, Encoder, PacketType } from 'socket.io-parser';

const FROM_CLIENTS: readonly unknown[] = [PacketType.CONNECT, PacketType.DISCONNECT, PacketType.EVENT];

/** What socket.io's option `parser` takes. */
export interface TextParser {
  readonly Encoder: typeof Encoder;
  readonly Decoder: typeof Decoder;
}

/** @param refused called for each packet that ends its connection */
export function textParser(refused: () => void): TextParser {
  class TextDecoder extends Decoder {
    override add(untrusted: unknown): void {
      try {
        if (!isFromClient(untrusted)) throw new Error('not a packet that clients send');
        super.add(untrusted);
      } catch (error) {
        refused();
        throw error; // socket.io closes the connection; nobody is told why
      }
    }
  }
  return { Encoder, Decoder: TextDecoder };
}

/** By its first characters, so that nothing is parsed for what is refused anyway. A `/` there begins the name of another namespace. */
const isFromClient = (untrusted: unknown): untrusted is string =>
  typeof untrusted === 'string' && FROM_CLIENTS.includes(Number(untrusted.charAt(0))) && untrusted.charAt(1) !== '/';
