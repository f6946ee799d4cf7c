/** FIN with the opcode of text, as a character. */
const TEXT = '\x81';

/**
 * An unmasked WebSocket frame with this text (RFC 6455, section 5.2). What is plain ASCII, as nearly all is, comes as one string of bytes for the
 * encoding `latin1`: Node writes it without a buffer, and without a second write for the header.
 */
export function textFrame(text: string): string | Buffer {
  const length = Buffer.byteLength(text);
  const head = TEXT + lengthOf(length);
  if (length === text.length) return head + text;
  const frame = Buffer.allocUnsafe(head.length + length);
  frame.write(head, 'latin1');
  frame.write(text, head.length);
  return frame;
}

function lengthOf(length: number): string {
  if (length < 126) return String.fromCharCode(length);
  if (length < 65_536) return String.fromCharCode(126, length >> 8, length & 255);
  // 32 bits are enough for what a server holds in one string
  return String.fromCharCode(127, 0, 0, 0, 0, length >>> 24, (length >> 16) & 255, (length >> 8) & 255, length & 255);
}
