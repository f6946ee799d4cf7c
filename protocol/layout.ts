/** How values lie in the payload of a frame. `docs/wire.md` has the layouts that are made of these. */
import { badFrame } from './frame.ts';
import { fromHex, toHex } from './hex.ts';

export interface Layout<T> {
  /** Bytes that it takes; null: all that are left. */
  readonly size: number | null;
  /** Gets as many bytes as that. @throws P2PError `bad-frame` */
  readonly read: (bytes: Uint8Array) => T;
  /** In one piece or several. */
  readonly write: (value: T) => readonly Uint8Array[];
}

const MAX_UINT32 = 0xffff_ffff;

export const uint8: Layout<number> = { size: 1, read: ([byte = 0]) => byte, write: (value) => [Uint8Array.of(value)] };

/** The nearest there is: Infinity becomes the largest. */
export const uint32: Layout<number> = {
  size: 4,
  read: (bytes) => new DataView(bytes.buffer, bytes.byteOffset).getUint32(0),
  write: (value) => {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, Math.min(MAX_UINT32, Math.max(0, Math.round(value))));
    return [bytes];
  },
};

export const flag: Layout<boolean> = {
  size: 1,
  read: ([byte]) => byte === 1,
  write: (value) => [Uint8Array.of(Number(value))],
};

/** One of these, by its place among them. */
export const oneOf = <T extends string>(values: readonly T[]): Layout<T> => ({
  size: 1,
  read: ([place = 0]) => {
    const value = values[place];
    if (value === undefined) throw badFrame(`0 to ${values.length - 1}`, place);
    return value;
  },
  write: (value) => [Uint8Array.of(values.indexOf(value))],
});

/** An id or a hash of so many bytes. */
export const hex = <T extends string>(size: number): Layout<T> => ({
  size,
  read: (bytes) => toHex(bytes) as T,
  write: (value) => [fromHex(value)],
});

/** To the end: at least and at most so many bytes. */
export const bytesOf = (least: number, most: number): Layout<Uint8Array<ArrayBuffer>> => ({
  size: null,
  read: (bytes) => {
    if (bytes.length < least || bytes.length > most) throw badFrame(`${least} to ${most} bytes`, bytes.length);
    return bytes as Uint8Array<ArrayBuffer>;
  },
  write: (bytes) => [bytes],
});

/** To the end: at most so many, each as long as the other. */
export const listOf = <T>(item: Layout<T>, most: number): Layout<readonly T[]> => ({
  size: null,
  read: (bytes) => {
    const each = item.size ?? bytes.length;
    if (bytes.length % each !== 0 || bytes.length > most * each)
      throw badFrame(`at most ${most} items of ${each} bytes`, bytes.length);
    return Array.from({ length: bytes.length / each }, (_, i) => item.read(bytes.subarray(i * each, (i + 1) * each)));
  },
  write: (values) => values.flatMap(item.write),
});

/** To the end: block numbers as a bitmap of at most so many bytes, at least one of them, in ascending order. As in BitTorrent (BEP 3), block 0 is the highest bit of the first byte. */
export const bitmap = (most: number): Layout<readonly number[]> => ({
  size: null,
  read: (bytes) => {
    const blocks =
      bytes.length > most
        ? []
        : Array.from({ length: 8 * bytes.length }, (_, i) => i).filter((i) => (bytes[i >> 3] ?? 0) & (0x80 >> (i & 7)));
    if (blocks.length === 0) throw badFrame(`a bitmap of 1 to ${most} bytes that is not empty`, bytes.length);
    return blocks;
  },
  write: (blocks) => {
    const bytes = new Uint8Array(1 + (Math.max(...blocks) >> 3));
    for (const block of blocks) bytes[block >> 3] = (bytes[block >> 3] ?? 0) | (0x80 >> (block & 7));
    return [bytes];
  },
});

/** One after the other. Only the last may have no size of its own. */
export function struct<T extends object>(fields: { readonly [K in keyof T]: Layout<T[K]> }): Layout<T> {
  const all = Object.entries(fields) as [keyof T & string, Layout<T[keyof T]>][];
  return {
    size: all.reduce<number | null>((sum, [, { size }]) => (sum === null || size === null ? null : sum + size), 0),
    read: (bytes) => {
      let at = 0;
      const values = all.map(([name, { size, read }]) => {
        const end = size === null ? bytes.length : at + size;
        if (end > bytes.length) throw badFrame(`${name} of ${size} bytes`, bytes.length - at);
        const value = read(bytes.subarray(at, end));
        at = end;
        return [name, value];
      });
      if (at < bytes.length) throw badFrame(`${at} bytes`, bytes.length);
      return Object.fromEntries(values) as T;
    },
    write: (value) => all.flatMap(([name, { write }]) => write(value[name])),
  };
}
