/** What every directory does, whatever it is kept in. Each is run through these tests. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import type { Digest, PeerId } from '../../../protocol/ids.ts';
import { MAX_NEIGHBOURS, OUTSIDE_NEIGHBOURS, SITE_NEIGHBOURS } from '../../../protocol/limits.ts';
import { MAX_CLAIMS_PER_SITE } from '../../../server/limits.ts';
import type { Directory } from '../../../server/signaling/directory.ts';
import type { SiteKey } from '../../../server/site.ts';
import { swarmId } from '../support.ts';

const swarm = swarmId('lesson');
const [here, there] = ['here', 'there'] as [SiteKey, SiteKey];
/** Peer ids are hex digits. */
const peer = (name: string | number): PeerId => Buffer.from(String(name)).toString('hex').padEnd(32, '0') as PeerId;
const nameOf = (id: PeerId): string => Buffer.from(id.replace(/(00)+$/, ''), 'hex').toString();

/** An empty one, which ends with the test. @param now milliseconds; default: its own clock */
export type MakeDirectory = (t: TestContext, now?: () => number) => Promise<Directory>;

/**
 * @param runs of each property test
 * @param spread how far from its share of the picks a peer may be, as a factor
 */
export function directoryContract(make: MakeDirectory, runs: number, spread: number): void {
  async function directoryOf(t: TestContext, here_: number, there_: number): Promise<Directory> {
    const directory = await make(t);
    for (let i = 0; i < here_; i++) await come(directory, peer(`h${i}`), here);
    for (let i = 0; i < there_; i++) await come(directory, peer(`t${i}`), there);
    return directory;
  }

  /** A directory with four peers here and two there, all joined at 0, and a clock. */
  async function claiming(t: TestContext): Promise<{
    directory: Directory;
    claim: (who: string, what?: string | number, instead?: string) => ReturnType<Directory['claim']>;
    at: (time: number) => void;
  }> {
    let now = 0;
    const directory = await make(t, () => now);
    for (const name of ['h0', 'h1', 'h2', 'h3']) await come(directory, peer(name), here);
    for (const name of ['t0', 't1']) await come(directory, peer(name), there);
    return {
      directory,
      claim: (who, what = 'a', instead) =>
        directory.claim(swarm, peer(who), asset(what), instead === undefined ? undefined : peer(instead)),
      at: (time) => void (now = time),
    };
  }

  test('the oldest member of a site is its keeper, the next two are next in line', async (t) => {
    const directory = await directoryOf(t, 5, 2);
    assert.deepEqual(await directory.state(swarm, here), {
      swarm,
      size: 7,
      siteSize: 5,
      sites: 2,
      keeper: peer('h0'),
      next: [peer('h1'), peer('h2')],
    });
    assert.deepEqual(await directory.state(swarm, there), {
      swarm,
      size: 7,
      siteSize: 2,
      sites: 2,
      keeper: peer('t0'),
      next: [peer('t1')],
    });
  });

  test('when the keeper leaves, the next in line is keeper; when one in the middle leaves, the line closes', async (t) => {
    const directory = await directoryOf(t, 5, 0);
    await directory.leave(swarm, peer('h0'));
    await directory.leave(swarm, peer('h2'));
    const state = await directory.state(swarm, here);
    assert.deepEqual([state?.keeper, state?.next], [peer('h1'), [peer('h3'), peer('h4')]]);
  });

  test('joining again keeps the place in line; coming back after leaving is the end of the line', async (t) => {
    const directory = await directoryOf(t, 3, 0);
    await directory.join(swarm, peer('h0'), here);
    assert.equal((await directory.state(swarm, here))?.keeper, peer('h0'));
    await directory.leave(swarm, peer('h0'));
    await directory.join(swarm, peer('h0'), here);
    assert.deepEqual((await directory.state(swarm, here))?.next, [peer('h2'), peer('h0')]);
  });

  test('a peer that comes back from another site moves there', async (t) => {
    const directory = await directoryOf(t, 2, 1);
    await directory.join(swarm, peer('h0'), there);
    const { size, siteSize, sites, next } = (await directory.state(swarm, there))!;
    assert.deepEqual([size, siteSize, sites, next], [3, 2, 2, [peer('h0')]]);
  });

  test('leaving says whether there was something to leave; leaving all names the swarms', async (t) => {
    const directory = await directoryOf(t, 1, 0);
    const other = swarmId('other');
    await directory.join(other, peer('h0'), here);
    assert.equal(await directory.leave(swarm, peer('nobody')), false);
    assert.equal(await directory.leave(swarmId('nothing'), peer('h0')), false);
    assert.deepEqual(await directory.leaveAll(peer('h0')), [swarm, other]);
    assert.deepEqual(await directory.leaveAll(peer('h0')), []);
    assert.equal(await directory.state(swarm, here), undefined);
  });

  test('a peer that enters again is told where it still has a place, and keeps it', async (t) => {
    const directory = await directoryOf(t, 2, 0);
    assert.deepEqual(await directory.enter(peer('h0'), 0), [swarm]);
    assert.equal((await directory.state(swarm, here))?.keeper, peer('h0'));
    assert.deepEqual(await directory.enter(peer('h9'), 0), []);
  });

  test('a newcomer is told 8 of its site and 4 from outside when both abound', async (t) => {
    const { members, others } = await (await directoryOf(t, 100, 100)).join(swarm, peer('h50'), here);
    assert.deepEqual([members.length, others.length], [SITE_NEIGHBOURS, OUTSIDE_NEIGHBOURS]);
  });

  test('what one side lacks the other fills up', async (t) => {
    const counts = async (mine: number, outside: number) => {
      const { members, others } = await (await directoryOf(t, mine, outside)).join(swarm, peer('h0'), here);
      return [members.length, others.length];
    };
    assert.deepEqual(await counts(13, 0), [12, 0]);
    assert.deepEqual(await counts(30, 1), [11, 1]);
    assert.deepEqual(await counts(1, 30), [0, 12]);
    assert.deepEqual(await counts(3, 30), [2, 10]);
    assert.deepEqual(await counts(3, 2), [2, 2]);
    assert.deepEqual(await counts(1, 0), [0, 0]);
  });

  test('outsiders are found even when nearly everybody is at the own site', async (t) => {
    const { others } = await (await directoryOf(t, 3000, 5)).join(swarm, peer('h0'), here);
    assert.equal(others.length, OUTSIDE_NEIGHBOURS);
  });

  test('picks are right for any swarm: distinct, on the right side, never oneself, as many as there can be', async (t) => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 40 }), fc.nat(40), async (mine, outside) => {
        const directory = await directoryOf(t, mine, outside);
        const { members, others } = await directory.join(swarm, peer('h0'), here);
        assert.equal(new Set([...members, ...others]).size, members.length + others.length);
        assert.ok(members.every((one) => nameOf(one).startsWith('h') && one !== peer('h0')));
        assert.ok(others.every((one) => nameOf(one).startsWith('t')));
        assert.equal(members.length + others.length, Math.min(MAX_NEIGHBOURS, mine + outside - 1));
      }),
      { numRuns: runs, includeErrorInReport: true },
    );
  });

  test('everybody is picked about equally often', async (t) => {
    const directory = await directoryOf(t, 50, 50);
    const counts = new Map<PeerId, number>();
    for (let i = 0; i < 3000; i++) {
      const { members, others } = await directory.join(swarm, peer('h0'), here);
      for (const one of [...members, ...others]) counts.set(one, (counts.get(one) ?? 0) + 1);
    }
    const site = Array.from({ length: 49 }, (_, index) => counts.get(peer(`h${index + 1}`)) ?? 0);
    const outside = Array.from({ length: 50 }, (_, index) => counts.get(peer(`t${index}`)) ?? 0);
    for (const [counted, share] of [
      [site, (3000 * SITE_NEIGHBOURS) / 49],
      [outside, (3000 * OUTSIDE_NEIGHBOURS) / 50],
    ] as const) {
      const [fewest, most] = [Math.min(...counted), Math.max(...counted)];
      assert.ok(fewest > share / spread && most < share * spread, `expected about ${share}: ${fewest} to ${most}`);
    }
  });

  test('line and sizes agree with a plain list after any joins and leaves', async (t) => {
    const step = fc.record({ who: fc.nat(9), site: fc.constantFrom(here, there), leaves: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const directory = await make(t);
        let model: { who: PeerId; site: SiteKey }[] = [];
        for (const { who: number, site, leaves } of steps) {
          const who = peer(number);
          if (leaves) {
            await directory.leave(swarm, who);
            model = model.filter((one) => one.who !== who);
          } else {
            await come(directory, who, site);
            if (!model.some((one) => one.who === who && one.site === site))
              model = [...model.filter((one) => one.who !== who), { who, site }];
          }
          for (const key of [here, there]) {
            const line = model.filter((one) => one.site === key).map((one) => one.who);
            const state = await directory.state(swarm, key);
            assert.deepEqual(state && [state.keeper, ...state.next], line.length === 0 ? undefined : line.slice(0, 3));
            if (state === undefined) continue;
            const sites = new Set(model.map((one) => one.site)).size;
            assert.deepEqual([state.size, state.siteSize, state.sites], [model.length, line.length, sites]);
          }
        }
      }),
      { numRuns: runs, includeErrorInReport: true },
    );
  });

  test('the first of a site that claims an asset crosses it, and the others are told since when', async (t) => {
    const { claim, at } = await claiming(t);
    at(1000);
    assert.deepEqual(await claim('h2'), { crosser: peer('h2'), since: 0, companyFor: 1000, told: 0 });
    at(1250);
    assert.deepEqual(await claim('h0'), { crosser: peer('h2'), since: 250, companyFor: 1250, told: 0 });
    assert.deepEqual(await claim('h2'), { crosser: peer('h2'), since: 250, companyFor: 1250, told: 1 });
    assert.equal((await claim('h1'))?.told, 1);
    assert.equal((await claim('h0'))?.told, 2);
  });

  test('each site and each asset has a crosser of its own', async (t) => {
    const { claim } = await claiming(t);
    const crossers = [await claim('h1'), await claim('t1'), await claim('h3', 'b')].map((one) => one?.crosser);
    assert.deepEqual(crossers, [peer('h1'), peer('t1'), peer('h3')]);
  });

  test('a crosser that failed is replaced once, by the first who says so', async (t) => {
    const { claim, at } = await claiming(t);
    await claim('h0');
    at(3000);
    assert.deepEqual(await claim('h1', 'a', 'h0'), { crosser: peer('h1'), since: 0, companyFor: 3000, told: 0 });
    at(3010);
    assert.deepEqual(await claim('h2', 'a', 'h0'), { crosser: peer('h1'), since: 10, companyFor: 3010, told: 0 });
    assert.equal((await claim('h2', 'a', 'nobody'))?.crosser, peer('h1'));
    assert.equal((await claim('h2', 'a', 'h1'))?.crosser, peer('h2'));
  });

  test('a crosser that left, or went to another site, crosses no more', async (t) => {
    const { directory, claim } = await claiming(t);
    await claim('h0');
    await directory.leaveAll(peer('h0'));
    assert.equal((await claim('h1'))?.crosser, peer('h1'));
    await directory.join(swarm, peer('h1'), there);
    assert.equal((await claim('h2'))?.crosser, peer('h2'));
    assert.equal((await claim('h1'))?.crosser, peer('h1'));
  });

  test('company is the oldest of the site but the asker; who is alone has none', async (t) => {
    const { directory, claim, at } = await claiming(t);
    at(500);
    await directory.leave(swarm, peer('t0'));
    assert.equal((await claim('t1'))?.companyFor, null);
    await come(directory, peer('t9'), there);
    at(700);
    assert.equal((await claim('t1'))?.companyFor, 200);
    assert.equal((await claim('t9'))?.companyFor, 700);
  });

  test('whose claim is quiet is told who crosses, and nobody is told of it', async (t) => {
    const { directory, claim } = await claiming(t);
    const quiet = (who: string, instead?: string) =>
      directory.claim(swarm, peer(who), asset('a'), instead === undefined ? undefined : peer(instead), true);
    assert.equal((await quiet('h0'))?.crosser, peer('h0'));
    assert.equal((await claim('h1'))?.crosser, peer('h1'));
    assert.deepEqual(
      [await quiet('h0'), await claim('h2')].map((reply) => [reply?.crosser, reply?.told]),
      [
        [peer('h1'), 0],
        [peer('h1'), 1],
      ],
    );
    assert.equal((await quiet('h0', 'h1'))?.crosser, peer('h0'));
    assert.equal((await claim('h3'))?.crosser, peer('h1'));
  });

  test('who is not in the swarm can claim nothing in it', async (t) => {
    const { directory, claim } = await claiming(t);
    assert.equal(await claim('stranger'), undefined);
    assert.equal(await directory.claim(swarmId('nothing'), peer('h0'), asset('a')), undefined);
    await directory.leave(swarm, peer('h0'));
    assert.equal(await claim('h0'), undefined);
  });

  test('a site that claims without end makes the server remember the latest only', async (t) => {
    const { claim } = await claiming(t);
    for (let i = 0; i <= MAX_CLAIMS_PER_SITE; i++) await claim('h0', i);
    assert.equal((await claim('h1', MAX_CLAIMS_PER_SITE))?.crosser, peer('h0'));
    assert.equal((await claim('h1', 1))?.crosser, peer('h0'));
    assert.equal((await claim('h1', 0))?.crosser, peer('h1'), 'the oldest was forgotten');
    assert.equal((await claim('t0', 5))?.crosser, peer('t0'), 'other sites have a memory of their own');
  });

  test('at any time each asset has at most one crosser, who is in the swarm, whatever is claimed in whatever order', async (t) => {
    const step = fc.record({ who: fc.nat(5), what: fc.nat(2), instead: fc.option(fc.nat(5)), leaves: fc.nat(9) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const directory = await make(t);
        const present = new Set<PeerId>();
        const crossers = new Map<number, PeerId>();
        for (const { who: number, what, instead, leaves } of steps) {
          const who = peer(number);
          if (leaves === 0) {
            await directory.leave(swarm, who);
            present.delete(who);
            if (present.size === 0) crossers.clear(); // The last one took the site's memory along.
            continue;
          }
          await come(directory, who, here);
          present.add(who);
          const before = crossers.get(what);
          const stands = before !== undefined && present.has(before) && (instead === null || before !== peer(instead));
          const claim = await directory.claim(swarm, who, asset(what), instead === null ? undefined : peer(instead));
          assert.equal(claim?.crosser, stands ? before : who);
          crossers.set(what, stands ? before : who);
        }
      }),
      { numRuns: runs, includeErrorInReport: true },
    );
  });
}

const asset = (name: string | number): Digest => String(name) as Digest;

/** Enters and joins. */
async function come(directory: Directory, who: PeerId, site: SiteKey): Promise<void> {
  await directory.enter(who, 0);
  await directory.join(swarm, who, site);
}
