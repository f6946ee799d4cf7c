/** What `<p2p-stats>` says, as plain data. */
import type { MeshStats } from '../mesh/index.ts';

/** Where bytes came from, in the order of the bar. */
export interface Share {
  readonly from: 'peers' | 'store' | 'origin';
  readonly label: string;
  readonly bytes: number;
  /** Of all bytes consumed, 0 to 1. */
  readonly fraction: number;
}

export interface StatsSummary {
  /** Drives the colour of the light. `trouble`: something is unreachable, and the page plays on. */
  readonly mood: 'off' | 'waiting' | 'alone' | 'sharing' | 'trouble';
  readonly state: string;
  readonly peers: number;
  readonly shares: readonly Share[];
  readonly uploaded: string;
  /** "83 %" */
  readonly offload: string;
  /** All of it in one sentence, for who can't see the panel. */
  readonly text: string;
}

export function summarize(stats: MeshStats): StatsSummary {
  const { bytes } = stats;
  const consumed = bytes.origin + bytes.peers + bytes.store;
  const share = (from: Share['from'], label: string): Share => ({
    from,
    label,
    bytes: bytes[from],
    fraction: consumed === 0 ? 0 : bytes[from] / consumed,
  });
  const shares = [share('peers', 'Neighbours'), share('store', 'This device'), share('origin', 'Origin')];
  const [mood, state] = stateOf(stats);
  const offload = `${Math.round(100 * Math.min(1, Math.max(0, stats.offload)))} %`;
  const uploaded = formatBytes(bytes.uploaded);
  const sources = shares.map(({ label, bytes: amount }) => `${label} ${formatBytes(amount)}`).join(', ');
  return {
    mood,
    state,
    peers: stats.peers,
    shares,
    uploaded,
    offload,
    text: `${state}. ${sources}. Handed out ${uploaded}. Offload ${offload}.`,
  };
}

function stateOf({ peers, signaling, originReachable, banned }: MeshStats): [StatsSummary['mood'], string] {
  const others = `${peers} neighbour${peers === 1 ? '' : 's'}`;
  const sources = peers > 0 ? others : 'this device';
  if (!originReachable) return ['trouble', `Origin unreachable – plays on from ${sources}`];
  if (signaling === 'unreachable')
    return [
      'trouble',
      peers > 0 ? `Server unreachable – plays on with ${others}` : 'Server unreachable – plays on from the origin',
    ];
  if (peers > 0) return ['sharing', banned > 0 ? `${others}, ${banned} banned` : others];
  if (signaling === 'joined') return ['alone', 'Alone here'];
  return signaling === 'connecting' ? ['waiting', 'Joining…'] : ['off', 'Not sharing'];
}

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'];

/** "0 bytes", "64.2 kB", "12.3 MB": decimal units, as a data plan counts. */
export function formatBytes(bytes: number): string {
  const power = bytes < 1000 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  const amount = bytes / 1000 ** power;
  return `${amount.toFixed(power > 0 && amount < 100 ? 1 : 0)} ${UNITS[power] ?? ''}`;
}
