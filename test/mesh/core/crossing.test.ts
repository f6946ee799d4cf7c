import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  amongSites,
  crossAt,
  drawOf,
  isSettled,
  originAt,
  promisePatience,
  suppression,
  type Claim,
  type CrossingView,
  type Promised,
} from '../../../mesh/core/crossing.ts';
import {
  AMONG_SITES_MS,
  CLAIM_ANSWER_MS,
  CLAIM_PATIENCE_MS,
  CLAIMS_FOR_MS,
  COMPANY_FRESH_MS,
  COMPANY_WAIT_MS,
  CROWD_GROWTH,
  HEAR_MS,
  HEAR_OF_SPARE,
  MAX_PROMISES,
  MAX_TIMER_MS,
  MIN_TIMER_MS,
  QUEUED_PATIENCE_MS,
  SUCCESSION_STEP_MS,
  WHOLE_PATIENCE_CROSSINGS,
  WHOLE_PATIENCE_MAX_MS,
  WITHDRAWALS_BEFORE_CROWD,
} from '../../../mesh/core/limits.ts';
import type { Digest, PeerId } from '../../../protocol/ids.ts';

const AT = 100_000;

const view = (more: Partial<CrossingView> = {}): CrossingView => ({
  siteSize: 6,
  sites: 1,
  outside: 0,
  rank: null,
  claim: { kind: 'none' },
  asked: true,
  askedAt: AT,
  neededAt: Infinity,
  crossingTime: 0,
  promised: null,
  fruitless: 0,
  withdrawals: 0,
  gate: 0,
  draw: 0.5,
  ...more,
});

const ours = (companyFor: number | null): Claim => ({ kind: 'ours', at: AT, companyFor });
const theirs = (since: number): Claim => ({ kind: 'theirs', at: AT, since });
const queued = (patience: number): Promised => ({ word: 'queued', until: AT + patience });
const GATE = AT + 700;
/** When who is not in line crosses, its timer drawn as the shortest. */
const LINE_AT = AT + HEAR_MS + 2 * SUCCESSION_STEP_MS;

for (const [what, more, at] of [
  ['one alone crosses at once', { siteSize: 1 }, AT],
  ['one alone does not wait for the start of the mesh', { siteSize: 1, gate: GATE }, AT],
  ['one alone at its site waits at the start for channels to other sites', { siteSize: 1, sites: 2, gate: GATE }, GATE],
  ['but not if it needs it now', { siteSize: 1, sites: 2, gate: GATE, neededAt: AT }, AT],
  [
    'nor before the origin could bring it',
    { siteSize: 1, sites: 2, gate: GATE, neededAt: AT + 500, crossingTime: 500 },
    AT,
  ],
  ['the keeper crosses at once', { rank: 0 }, AT],
  ['the keeper waits at the start for who may have it', { rank: 0, gate: GATE }, GATE],
  ['the next in line lets the keeper begin', { rank: 1 }, AT + HEAR_MS],
  [
    '… which is given longer where there is time',
    { rank: 1, neededAt: AT + 2100, crossingTime: 100 },
    AT + 2000 * HEAR_OF_SPARE,
  ],
  ['… but not where there is none to ask', { rank: 1, asked: false, neededAt: AT + 60_000 }, AT + HEAR_MS],
  ['… and not for ever', { rank: 1, neededAt: AT + 60_000 }, AT + MAX_TIMER_MS * HEAR_OF_SPARE],
  ['the one after lets both begin', { rank: 2 }, AT + HEAR_MS + SUCCESSION_STEP_MS],
  ['the word of the server is waited for', { claim: { kind: 'asked', at: AT } }, AT + CLAIM_ANSWER_MS],
  ['… at least as long as the start of the mesh', { claim: { kind: 'asked', at: AT }, gate: GATE }, GATE],
  ['the one that the server names crosses at once if it has no company', { claim: ours(null), gate: GATE }, AT],
  ['… and if its company is as new as itself', { claim: ours(COMPANY_FRESH_MS - 1), gate: GATE }, AT],
  ['… but asks company that is there for long', { claim: ours(COMPANY_FRESH_MS), gate: GATE }, GATE],
  ['… and after that lets a keeper begin that asks the server no more', { claim: ours(CLAIMS_FOR_MS) }, LINE_AT],
  ['… unless it needs it now', { claim: ours(CLAIMS_FOR_MS), gate: AT + 100, neededAt: AT }, AT + 100],
  ['… or is the keeper itself', { claim: ours(CLAIMS_FOR_MS), rank: 0 }, AT],
  ['one that crosses just now is waited for', { claim: theirs(100), gate: GATE }, AT + CLAIM_PATIENCE_MS],
  ['one that crossed long ago is asked by channel', { claim: theirs(COMPANY_FRESH_MS), gate: GATE }, GATE],
  ['… and not waited for after the start', { claim: theirs(COMPANY_FRESH_MS) }, AT],
  ['after a source that gave nothing the next is heard of soon', { claim: theirs(100), fruitless: 1 }, AT + HEAR_MS],
  ['a promise is waited for by who is not named', { claim: theirs(100), promised: queued(5000) }, AT + 5000],
  ['… and by the next in line', { rank: 1, promised: queued(4000) }, AT + 4000],
  ['when it lapses the line begins anew', { rank: 2, promised: queued(4000) }, AT + 4000 + SUCCESSION_STEP_MS],
  ['… but not by the keeper', { rank: 0, promised: queued(4000) }, AT],
  [
    '… unless it is of one who has begun, and there is time',
    { rank: 0, promised: { word: 'later', until: AT + 3000 }, neededAt: AT + 60_000 },
    AT + 3000,
  ],
  [
    '… as much as that',
    { rank: 0, promised: { word: 'later', until: AT + 3000 }, neededAt: AT + 1500, crossingTime: 1000 },
    AT + 500,
  ],
  ['… nor by the one that the server names', { claim: ours(null), promised: queued(4000) }, AT],
] as [string, Partial<CrossingView>, number][]) {
  test(what, () => {
    assert.equal(crossAt(view({ draw: 0, ...more })), at);
  });
}

test('the server settles who crosses as long as all of the site ask it', () => {
  const claims: Claim[] = [{ kind: 'asked', at: AT }, theirs(0), ours(null), ours(CLAIMS_FOR_MS - 1)];
  assert.ok(claims.every(isSettled));
  assert.ok(![{ kind: 'none' } as const, ours(CLAIMS_FOR_MS)].some(isSettled));
});

test('who is not in line waits for all who are, and for its timer', () => {
  assert.equal(crossAt(view({ draw: 0 })), LINE_AT);
  const at = crossAt(view({ draw: 0.9 }));
  assert.ok(at > LINE_AT && at < LINE_AT + MIN_TIMER_MS, `${at - LINE_AT}`);
});

test('what several took back is brought by more and more, by lot', () => {
  const crowd = (withdrawals: number, siteSize: number): number =>
    Array.from({ length: siteSize }, (_, i) => (i + 0.5) / siteSize).filter(
      (draw) => crossAt(view({ withdrawals, siteSize, draw, claim: theirs(0) })) === AT,
    ).length;
  assert.deepEqual(
    [1, 2, 3, 4].map((withdrawals) => crowd(withdrawals, 100)),
    [0, CROWD_GROWTH, CROWD_GROWTH ** 2, CROWD_GROWTH ** 3],
  );
  assert.equal(crowd(WITHDRAWALS_BEFORE_CROWD, CROWD_GROWTH), CROWD_GROWTH, 'all of a small site');
});

const anyClaim: fc.Arbitrary<Claim> = fc.oneof(
  fc.record({ kind: fc.constant('asked' as const), at: fc.constant(AT) }),
  fc.record({
    kind: fc.constant('ours' as const),
    at: fc.constant(AT),
    companyFor: fc.option(fc.nat(20_000)),
  }),
  fc.record({ kind: fc.constant('theirs' as const), at: fc.constant(AT), since: fc.nat(20_000) }),
  fc.constant({ kind: 'none' as const }),
);

const anyView: fc.Arbitrary<CrossingView> = fc.record({
  siteSize: fc.integer({ min: 1, max: 2000 }),
  sites: fc.integer({ min: 1, max: 2000 }),
  outside: fc.nat(16),
  rank: fc.option(fc.nat(2)),
  claim: anyClaim,
  asked: fc.boolean(),
  askedAt: fc.constant(AT),
  neededAt: fc.oneof(fc.constant(Infinity), fc.integer({ min: AT - 10_000, max: AT + 100_000 })),
  crossingTime: fc.oneof(fc.constant(0), fc.nat(100_000)),
  promised: fc.option(
    fc.record({
      word: fc.constantFrom('queued' as const, 'later' as const),
      until: fc.integer({ min: AT, max: AT + WHOLE_PATIENCE_MAX_MS }),
    }),
  ),
  fruitless: fc.nat(20),
  withdrawals: fc.nat(20),
  gate: fc.integer({ min: 0, max: AT + COMPANY_WAIT_MS }),
  draw: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
});

test('nothing holds a crossing up for longer than a promise, the line and a timer', () => {
  const most = WHOLE_PATIENCE_MAX_MS + HEAR_MS + 2 * SUCCESSION_STEP_MS + MAX_TIMER_MS;
  fc.assert(
    fc.property(anyView, (seen) => {
      const wait = crossAt(seen) - AT;
      assert.ok(Number.isFinite(wait) && wait <= most, `${wait} ms`);
      for (const isFollowed of [true, false]) {
        const origin = originAt(seen, isFollowed) - AT;
        assert.ok(origin >= 0 && origin <= MAX_TIMER_MS, `${origin} ms`);
      }
    }),
    { numRuns: 1000 },
  );
});

test('without a promise nobody waits longer than its deadline lets it, beyond what settling the turn takes', () => {
  fc.assert(
    fc.property(anyView, (seen) => {
      const without: CrossingView = { ...seen, claim: { kind: 'none' }, promised: null, gate: 0 };
      const spare = Math.max(MIN_TIMER_MS, Math.min(MAX_TIMER_MS, without.neededAt - AT - without.crossingTime));
      assert.ok(crossAt(without) - AT <= HEAR_MS + 2 * SUCCESSION_STEP_MS + spare);
    }),
  );
});

test('who is alone never waits for a timer, nor who would hear of nobody', () => {
  assert.equal(suppression(1, 0.99, MAX_TIMER_MS), 0);
  assert.equal(originAt(view({ sites: 1, neededAt: AT + 60_000 }), false), AT);
  assert.equal(originAt(view({ sites: 100, neededAt: AT + 60_000 }), false), AT);
});

test('who is in a hurry waits for other sites no longer than hearing of them takes', () => {
  const hurried = view({ sites: 100, outside: 4, neededAt: AT + 500, crossingTime: 500, draw: 0.999 });
  assert.ok(originAt(hurried, false) <= AT + HEAR_MS);
  assert.ok(originAt({ ...hurried, neededAt: Infinity }, false) <= AT + HEAR_MS, 'no deadline: it may be the first');
});

test('the site gives who crosses the time in which it listens to other sites', () => {
  const seen = view({ claim: theirs(0), sites: 100, outside: 4, neededAt: AT + 60_000, draw: 0.999 });
  assert.equal(crossAt(seen), AT + CLAIM_PATIENCE_MS + AMONG_SITES_MS);
  assert.ok(originAt(seen, false) <= AT + AMONG_SITES_MS);
  assert.equal(promisePatience('queued', 0, 0, amongSites(seen)), QUEUED_PATIENCE_MS + AMONG_SITES_MS);
});

test('who is followed does not keep its followers waiting for other sites', () => {
  const seen = view({ sites: 100, outside: 4, neededAt: AT + 60_000, draw: 0.999 });
  assert.ok(originAt(seen, false) - AT > 0.75 * AMONG_SITES_MS);
  assert.ok(originAt(seen, true) - AT <= HEAR_MS);
});

test('timers grow with the draw, stay within bounds, and few of many fire early', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 10_000 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (n, a, b) => {
        const [early, late] = [suppression(n, Math.min(a, b), 4000), suppression(n, Math.max(a, b), 4000)];
        assert.ok(0 <= early && early <= late && late <= 4000);
      },
    ),
  );
  for (const n of [30, 1000]) {
    const times = Array.from({ length: n }, (_, i) => suppression(n, (i + 0.5) / n, 4000));
    const first = Math.min(...times);
    // Within 100 ms of the first, which is what it takes to be heard.
    assert.ok(times.filter((time) => time < first + 100).length <= 3, `${n}`);
  }
});

test('draws are the same for the same peer and asset, and spread over peers and over assets', () => {
  const id = (i: number, length: number): string =>
    (i * 2_654_435_761).toString(16).padStart(length, '0').slice(-length);
  const peers = Array.from({ length: 400 }, (_, i) => id(i + 1, 8).padEnd(32, '0') as PeerId);
  const assets = Array.from({ length: 400 }, (_, i) => id(i + 7, 8).padEnd(64, '0') as Digest);
  assert.equal(drawOf(peers[0]!, assets[0]!), drawOf(peers[0]!, assets[0]!));
  for (const draws of [peers.map((peer) => drawOf(peer, assets[0]!)), assets.map((one) => drawOf(peers[0]!, one))]) {
    assert.ok(draws.every((draw) => draw >= 0 && draw < 1));
    for (let tenth = 0; tenth < 10; tenth++) {
      const inside = draws.filter((draw) => Math.floor(draw * 10) === tenth).length;
      assert.ok(inside > 15 && inside < 80, `${inside} of 400`);
    }
  }
});

test('a promise is believed for a while that no word renews, longer where the line is known to be slow', () => {
  assert.equal(promisePatience('queued', 0, 0), QUEUED_PATIENCE_MS);
  assert.equal(promisePatience('later', 0, 0), QUEUED_PATIENCE_MS);
  assert.equal(promisePatience('later', 2000, 0), 2000 * WHOLE_PATIENCE_CROSSINGS);
  assert.equal(promisePatience('later', 1e9, 0), WHOLE_PATIENCE_MAX_MS);
  assert.equal(promisePatience('queued', 0, 1), QUEUED_PATIENCE_MS / 2);
  const all = Array.from({ length: MAX_PROMISES }, (_, before) => promisePatience('later', 1e9, before));
  assert.ok(all.reduce((sum, time) => sum + time, 0) <= 12_000);
});
