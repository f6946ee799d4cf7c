/** Lower-case hexadecimal, the text form of digests, peer ids and keys. */
export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += (256 + byte).toString(16).slice(1);
  return text;
}

/** The bytes of `text`, which must already be known to be an even number of hex digits. */
export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

export function isHex(value: unknown, byteLength: number): value is string {
  return typeof value === 'string' && value.length === 2 * byteLength && /^[0-9a-f]+$/.test(value);
}
