/** FIN with the opcode of text, as a character. */
const TEXT = '\x81';

/**
 * An unmasked WebSocket frame with this text (RFC 6455, section 5.2), a character for each byte: for the encoding `latin1`, which Node writes without a
 * buffer, several frames as one. Plain ASCII, as nearly all is, stays the text that it was.
 */
export function textFrame(text: string): string {
  const length = Buffer.byteLength(text);
  return TEXT + lengthOf(length) + (length === text.length ? text : Buffer.from(text).toString('latin1'));
}

function lengthOf(length: number): string {
  if (length < 126) return String.fromCharCode(length);
  if (length < 65_536) return String.fromCharCode(126, length >> 8, length & 255);
  // 32 bits are enough for what a server holds in one string
  return String.fromCharCode(127, 0, 0, 0, 0, length >>> 24, (length >> 16) & 255, (length >> 8) & 255, length & 255);
}
