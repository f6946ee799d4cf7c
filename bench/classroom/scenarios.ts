/** The classroom's scenarios of the matrix, each with the bars that it must meet. Data only. */
import { RENDITIONS } from './media.ts';
import type { RunOptions } from './options.ts';
import type { Result } from './result.ts';

/** What a bar can be about: one number of a run, undefined where the run does not have it. */
export type FigureName =
  | 'mediaCopies'
  | 'allCopies'
  | 'firstFrame'
  | 'firstFrameRatio'
  | 'stalls'
  | 'completed'
  | 'fellShort'
  | 'stallsAfterKill'
  | 'mostPlayed'
  | 'switches';

export interface Bar {
  readonly figure: FigureName;
  readonly is: 'at most' | 'at least' | 'exactly';
  readonly limit: number;
}

export interface Scenario {
  readonly id: string;
  readonly title: string;
  readonly options: Partial<RunOptions>;
  readonly bars: readonly Bar[];
  /** `REFERENCE` or a scenario that `firstFrameRatio` compares with it. */
  readonly needsReference?: boolean;
}

const atMost = (figure: FigureName, limit: number): Bar => ({ figure, is: 'at most', limit });
const atLeast = (figure: FigureName, limit: number): Bar => ({ figure, is: 'at least', limit });
const exactly = (figure: FigureName, limit: number): Bar => ({ figure, is: 'exactly', limit });
const NO_STALLS = atMost('stalls', 0);

/** Six of plain hls.js, each with the share of the line that one alone would have of 8 Mbit/s: what "no later" is measured by. */
export const REFERENCE: Scenario = {
  id: 'D1.reference',
  title: 'plain hls.js, 6 together, 48 Mbit/s',
  options: { system: 'hlsjs', uplink: 48 },
  bars: [],
};

/** The line is to carry the rendition once, with this much to spare. */
const HEADROOM = 1.2;

/** Picture height of the best rendition that a line of so many Mbit/s carries once. */
export function bestHeight(uplink: number): number {
  const carried = RENDITIONS.filter(({ kbit }) => kbit * HEADROOM <= uplink * 1000);
  return (carried.at(-1) ?? RENDITIONS[0])?.height ?? 0;
}

const adaptive = (uplink: number): Scenario => ({
  id: `D5.${uplink}`,
  title: `three renditions, 6 together, ${uplink} Mbit/s`,
  options: { uplink, renditions: 3 },
  bars: [exactly('mostPlayed', bestHeight(uplink)), atMost('switches', 3), NO_STALLS],
});

export const SCENARIOS: readonly Scenario[] = [
  REFERENCE,
  {
    id: 'D1.together',
    title: '6 together, 8 Mbit/s',
    options: {},
    bars: [atMost('mediaCopies', 1.15), atMost('allCopies', 1.35), NO_STALLS, atMost('firstFrameRatio', 1.35)],
    needsReference: true,
  },
  {
    id: 'D1.stagger',
    title: '6, 3 s apart, 8 Mbit/s',
    options: { arrival: { kind: 'stagger', seconds: 3 } },
    bars: [atMost('mediaCopies', 1.1)],
  },
  {
    id: 'D1.seeded',
    title: '6, one has watched it, 8 Mbit/s',
    options: { seeded: true },
    bars: [atMost('mediaCopies', 1.05)],
  },
  {
    id: 'D1.live',
    title: '6, live for 45 s, 8 Mbit/s',
    options: { mode: 'live', duration: 45 },
    bars: [atLeast('completed', 6), NO_STALLS, atMost('mediaCopies', 1.3)],
  },
  {
    id: 'D1.twelve',
    title: '12, 2 s apart, 8 Mbit/s',
    options: { viewers: 12, arrival: { kind: 'stagger', seconds: 2 } },
    bars: [atMost('mediaCopies', 1.2), NO_STALLS],
  },
  {
    id: 'D2.cut',
    title: '6, one 30 s ahead of the others, 8 Mbit/s, the line is cut 20 s after they came',
    // longer than anybody can have buffered by then
    options: { arrival: { kind: 'ahead', seconds: 30 }, killOriginAt: 50, duration: 120 },
    bars: [atMost('fellShort', 0)],
  },
  {
    id: 'D2.kill',
    title: '6 together, 8 Mbit/s, the browser that has sent most is killed at 10 s',
    options: { killViewerAt: 10, killViewer: 'busiest' },
    bars: [atMost('stallsAfterKill', 0), atLeast('completed', 5)],
  },
  adaptive(3),
  adaptive(8),
  adaptive(50),
];

/**
 * Those whose id begins with one of the words, all for none; with the reference where it is needed.
 * @throws if a word fits nothing
 */
export function selectScenarios(words: readonly string[]): Scenario[] {
  const fits = ({ id }: Scenario, word: string): boolean => id.toLowerCase().startsWith(word.toLowerCase());
  const idle = words.find((word) => !SCENARIOS.some((scenario) => fits(scenario, word)));
  if (idle !== undefined)
    throw new Error(`No scenario begins with "${idle}". There are: ${SCENARIOS.map(({ id }) => id).join(', ')}.`);
  const chosen = SCENARIOS.filter((scenario) => words.length === 0 || words.some((word) => fits(scenario, word)));
  const needsReference = chosen.some((scenario) => scenario.needsReference === true) && !chosen.includes(REFERENCE);
  return needsReference ? [REFERENCE, ...chosen] : chosen;
}

/** @param reference median first frame of the reference, seconds */
export function figureOf(name: FigureName, result: Result, reference: number | undefined): number | undefined {
  switch (name) {
    case 'mediaCopies':
      return result.mediaCopies;
    case 'allCopies':
      return result.allCopies;
    case 'firstFrame':
      return result.firstFrameMedian;
    case 'firstFrameRatio':
      return result.firstFrameMedian === undefined || reference === undefined
        ? undefined
        : result.firstFrameMedian / reference;
    case 'stalls':
      return result.stallCount;
    case 'completed':
      return result.completed;
    case 'fellShort':
      return result.cut?.others.filter(({ reached }) => !reached).length;
    case 'stallsAfterKill':
      return result.stallsAfterKill;
    case 'mostPlayed':
      return result.mostPlayed;
    case 'switches':
      return result.maxSwitchesSettled;
  }
}
