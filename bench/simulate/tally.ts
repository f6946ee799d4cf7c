/** What went over the lines, segment by segment. Counts while the run goes; owned by a Run. */
import { FRAME_HEADER_BYTES } from '../../protocol/limits.ts';
import { carriesContent } from '../../protocol/peer-message.ts';
import type { MemoryOrigin } from '../../test/mesh/world/memory-origin.ts';
import { segmentOf, type Content } from './content.ts';
import type { Places } from './places.ts';
import type { Viewer } from './viewer.ts';

/** Payload bytes of a block message before the block: its index. */
const INDEX_BYTES = 4;

/** One segment at all the sites whose viewers loaded it. */
export interface SegmentTally {
  readonly index: number;
  /** Copies that crossed a site's line, from the origin or from peers outside. */
  readonly copiesMean: number;
  readonly copiesWorst: number;
  /** Copies that the origin gave, in all, and to how large a share of these sites and viewers. */
  readonly originCopies: number;
  readonly sitesAtOrigin: number;
  readonly viewersAtOrigin: number;
}

export class Tally {
  messages = 0;
  /** By wire number. */
  readonly byType: number[] = [];
  readonly #places: Places;
  /** Bytes from outside peers by site and segment. */
  readonly #fromPeers = new Map<string, number[]>();

  constructor(places: Places) {
    this.#places = places;
  }

  message(from: string, to: string, message: Uint8Array): void {
    const type = message[0] ?? 0;
    this.messages++;
    this.byType[type] = (this.byType[type] ?? 0) + 1;
    if (!carriesContent(type)) return;
    const { site } = this.#places.get(to);
    if (this.#places.get(from).site !== site) this.#crossed(site.name, message);
  }

  /** A block is counted whole when its first part sets off. */
  #crossed(site: string, message: Uint8Array): void {
    const view = new DataView(message.buffer, message.byteOffset);
    if (view.getUint32(12) !== 0) return;
    const segment = segmentOf(message.subarray(FRAME_HEADER_BYTES + INDEX_BYTES));
    if (segment !== null) add(this.#fromPeers, site, segment, view.getUint32(8) - INDEX_BYTES);
  }

  segments(content: Content, origin: MemoryOrigin, viewers: readonly Viewer[]): SegmentTally[] {
    const size = content.segmentBytes;
    const indices = new Map(content.segments.map(({ url, index }) => [url, index]));
    const fromOrigin = new Map<string, number[]>();
    const viewersAtOrigin = content.segments.map(() => new Set<string>());
    for (const { url, by, sent } of origin.requests) {
      const index = indices.get(url);
      if (index === undefined || sent === 0) continue;
      add(fromOrigin, this.#places.get(by).site.name, index, sent);
      viewersAtOrigin[index]?.add(by);
    }
    return content.segments.flatMap(({ index }) => {
      const watching = viewers.filter(({ loaded }) => loaded.has(index));
      if (watching.length === 0) return [];
      const sites = [...new Set(watching.map(({ site }) => site))];
      const origins = sites.map((site) => (fromOrigin.get(site)?.[index] ?? 0) / size);
      const copies = sites.map((site, i) => (origins[i] ?? 0) + (this.#fromPeers.get(site)?.[index] ?? 0) / size);
      return {
        index,
        copiesMean: sum(copies) / sites.length,
        copiesWorst: Math.max(...copies),
        originCopies: sum(origins),
        sitesAtOrigin: origins.filter((share) => share > 0).length / sites.length,
        viewersAtOrigin: watching.filter(({ name }) => viewersAtOrigin[index]?.has(name)).length / watching.length,
      };
    });
  }
}

export const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);

function add(table: Map<string, number[]>, row: string, column: number, bytes: number): void {
  const cells = table.get(row) ?? [];
  table.set(row, cells);
  cells[column] = (cells[column] ?? 0) + bytes;
}
