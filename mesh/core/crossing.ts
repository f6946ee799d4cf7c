/** When a peer brings an asset over its site's line itself. Decisions only; `docs/how-sharing-works.md` tells them in words. */
import type { Digest, PeerId } from '../../protocol/ids.ts';
import {
  AMONG_SITES_MS,
  CLAIM_ANSWER_MS,
  CLAIM_PATIENCE_MS,
  CLAIMS_FOR_MS,
  COMPANY_FRESH_MS,
  CROWD_GROWTH,
  HEAR_MS,
  HEAR_OF_SPARE,
  MAX_TIMER_MS,
  MIN_TIMER_MS,
  QUEUED_PATIENCE_MS,
  SUCCESSION_STEP_MS,
  WHOLE_PATIENCE_CROSSINGS,
  WHOLE_PATIENCE_MAX_MS,
  WITHDRAWALS_BEFORE_CROWD,
} from './limits.ts';
import { timeLeft } from './patience.ts';

/** Where the peer stands in the line of those who cross for its site: 0, it does; null, not among those that the server named. */
export type Rank = number | null;

/** What the server said of a first asset that we asked it about. */
export type Claim =
  | { readonly kind: 'asked'; readonly at: number }
  /** We cross. `companyFor`: ms since somebody else joined; null: we are alone. */
  | { readonly kind: 'ours'; readonly at: number; readonly companyFor: number | null }
  /** Somebody else does, who said so `since` ms before. */
  | { readonly kind: 'theirs'; readonly at: number; readonly since: number }
  /** It can't be asked, or not any more. */
  | { readonly kind: 'none' };

/** What a peer said of an asset. `queued`: it will begin; `later`: it has begun, and hands it on when it is whole. */
export type PromiseWord = 'queued' | 'later';

/** Such a word, and until when it is believed, ms on the engine's clock. */
export interface Promised {
  readonly word: PromiseWord;
  readonly until: number;
}

export interface Sizes {
  /** Peers of our site in the swarm, ourselves included, and sites. */
  readonly siteSize: number;
  readonly sites: number;
  /** Neighbours of other sites, from whom we would hear of a crossing there. */
  readonly outside: number;
}

export interface CrossingView extends Sizes {
  readonly rank: Rank;
  readonly claim: Claim;
  /** Was a keeper asked for it? */
  readonly asked: boolean;
  /** When the asset was asked for, or lost its last source, ms on the engine's clock. */
  readonly askedAt: number;
  /** When it is needed; Infinity: not known. */
  readonly neededAt: number;
  /** How long one crossing takes at the line's rate, ms; 0: not known. */
  readonly crossingTime: number;
  /** What somebody said who is believed; null: nobody did. */
  readonly promised: Promised | null;
  /** Sources that had it under way and gave nothing of it, and how many of them said that they have it no more. */
  readonly fruitless: number;
  readonly withdrawals: number;
  /** Until when the start of the mesh holds requests up. */
  readonly gate: number;
  /** In [0, 1), from our id and the asset: the same asset gives each peer another. */
  readonly draw: number;
}

/**
 * A suppression timer: how long to wait for somebody else of `n` to begin, ms, at most `most`. Nonnenmacher and Biersack, "Scalable feedback
 * for large groups" (1999): exponentially few fire early, so that the first silences nearly all.
 */
export function suppression(n: number, draw: number, most: number): number {
  if (n <= 1) return 0;
  const lambda = Math.log(n) + 1;
  return (most / lambda) * Math.log(draw * (Math.exp(lambda) - 1) + 1);
}

/** From when on we may cross, on the engine's clock, nobody being heard of who does. To be asked again whenever something changes. */
export function crossAt(view: CrossingView): number {
  const { claim, askedAt, gate, promised } = view;
  if (isOfCrowd(view)) return askedAt;
  if (view.siteSize <= 1) return view.sites <= 1 || isHurried(view) ? askedAt : Math.max(askedAt, gate);
  switch (claim.kind) {
    case 'asked':
      return Math.max(claim.at + CLAIM_ANSWER_MS, gate);
    case 'ours':
      if (!isSettled(claim) && !isHurried(view)) return Math.max(gate, askedAt + wait(view));
      // Those who came when we did can't have it; those who are here for long may.
      return (claim.companyFor ?? 0) < COMPANY_FRESH_MS ? claim.at : Math.max(claim.at, gate);
    case 'theirs':
      return Math.max(promised?.until ?? 0, theirsUntil(claim, view));
    case 'none':
      return Math.max(gate, askedAt + wait(view));
    default:
      return claim satisfies never;
  }
}

/** Does the server's word, or the lack of it yet, say who crosses? Not where it named us, but there are others who ask it no more. */
export const isSettled = (claim: Claim): boolean =>
  claim.kind !== 'none' && (claim.kind !== 'ours' || (claim.companyFor ?? 0) < CLAIMS_FOR_MS);

/** It is needed before the origin could bring it. */
const isHurried = ({ neededAt, askedAt, crossingTime }: CrossingView): boolean => neededAt - askedAt <= crossingTime;

/** What others took back is perhaps not to be shared: then each must bring it itself. More and more do, but not all at the word of one or two. */
function isOfCrowd({ siteSize, withdrawals, draw }: CrossingView): boolean {
  return withdrawals >= WITHDRAWALS_BEFORE_CROWD && draw * siteSize < CROWD_GROWTH ** (withdrawals - 1);
}

function theirsUntil({ at, since }: Extract<Claim, { kind: 'theirs' }>, view: CrossingView): number {
  const { gate, fruitless } = view;
  // A crossing of just now is under way; one of long ago is over, and who did it is asked over a channel, if there is one.
  if (since >= COMPANY_FRESH_MS) return Math.max(at, gate);
  // Once a source failed channels are open, and the next one is heard of soon.
  return at + (fruitless > 0 ? HEAR_MS : CLAIM_PATIENCE_MS + amongSites(view));
}

function wait(view: CrossingView): number {
  const { rank, promised, askedAt } = view;
  const untilLapsed = promised ? promised.until - askedAt : 0;
  // Who was the keeper before us may have queued it, and begins no more; who has begun may bring it, if there is time to see.
  if (rank === 0) return promised?.word === 'later' ? Math.min(untilLapsed, spare(view)) : 0;
  // All hear a promise lapse at the same time, so the line begins anew there.
  const from = Math.max(HEAR_MS, view.asked ? HEAR_OF_SPARE * spare(view) : 0, untilLapsed);
  if (rank !== null) return from + (rank - 1) * SUCCESSION_STEP_MS;
  const most = Math.max(MIN_TIMER_MS, (1 - HEAR_OF_SPARE) * spare(view));
  const timer = suppression(view.siteSize, view.draw, most);
  return from + 2 * SUCCESSION_STEP_MS + timer;
}

/**
 * How long somebody is believed who said that it will bring an asset, ms, and gave nothing yet: words are no progress, so they are not
 * renewed by more words.
 * @param before how many were believed so before, in vain
 * @param others how long it may wait for other sites before it begins, ms
 */
export function promisePatience(word: PromiseWord, crossingTime: number, before: number, others = 0): number {
  const whole = Math.min(WHOLE_PATIENCE_MAX_MS, Math.max(HEAR_MS, WHOLE_PATIENCE_CROSSINGS * crossingTime));
  return (word === 'queued' || crossingTime === 0 ? QUEUED_PATIENCE_MS + others : whole) / 2 ** before;
}

/**
 * The same for going to the origin where other sites could bring it: the one site that does hands it to them.
 * @param isFollowed somebody waits for us to hand it on, and would soon take us for gone
 */
export function originAt(view: CrossingView, isFollowed: boolean): number {
  const most = isFollowed ? Math.min(HEAR_MS, amongSites(view)) : amongSites(view);
  return view.askedAt + suppression(view.sites, view.draw, most);
}

/** How long who crosses may let other sites go to the origin first, ms. Who has a little time is given what hearing of one takes. */
export const amongSites = (view: CrossingView): number =>
  view.outside > 0 && slackOf(view) > 0 ? Math.max(HEAR_MS, Math.min(AMONG_SITES_MS, spare(view))) : 0;

const slackOf = ({ neededAt, askedAt }: CrossingView): number => timeLeft(neededAt - askedAt);

/** Time that may pass before a crossing must begin, ms. */
const spare = (view: CrossingView): number => Math.min(MAX_TIMER_MS, Math.max(0, slackOf(view) - view.crossingTime));

/** A number in [0, 1) that is the same for the same peer and asset, and spread over peers and over assets. */
export function drawOf(peer: PeerId, digest: Digest): number {
  let mixed = (parseInt(peer.slice(0, 8), 16) ^ parseInt(digest.slice(0, 8), 16)) >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x45d9f3b) >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x45d9f3b) >>> 0;
  return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
}
