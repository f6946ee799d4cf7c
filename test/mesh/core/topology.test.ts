import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  DIALS_IN_CROWD,
  MAX_CONNECTIONS,
  MAX_CONNECTIONS_ALONE,
  MAX_OUTSIDE,
  MIN_NEIGHBOURS,
} from '../../../mesh/core/limits.ts';
import { hasTooFew, onOffer, roomToOffer } from '../../../mesh/core/topology.ts';
import { MAX_NEIGHBOURS, OUTSIDE_NEIGHBOURS, SITE_NEIGHBOURS } from '../../../protocol/limits.ts';

const NOBODY = { ofSite: 0, outside: 0 };

test('a small swarm becomes a full mesh', () => {
  const around = { size: MAX_NEIGHBOURS + 1, siteSize: 4 };
  assert.deepEqual(roomToOffer(NOBODY, around), { ofSite: MAX_NEIGHBOURS, outside: MAX_NEIGHBOURS });
});

test('a newcomer to a large swarm offers half of what a peer should have, most of it at its site', () => {
  const around = { size: 1000, siteSize: 50 };
  assert.deepEqual(roomToOffer(NOBODY, around), { ofSite: SITE_NEIGHBOURS / 2, outside: OUTSIDE_NEIGHBOURS / 2 });
  assert.deepEqual(roomToOffer({ ofSite: 3, outside: OUTSIDE_NEIGHBOURS / 2 }, around), { ofSite: 1, outside: 0 });
});

test('who is alone at a site offers all to others', () => {
  assert.equal(roomToOffer(NOBODY, { size: 1000, siteSize: 1 }).outside, DIALS_IN_CROWD);
});

for (const [what, sameSite, degree, siteSize, verdict] of [
  ['an offer is taken while there is room', true, { ofSite: 3, outside: 4 }, 50, 'take'],
  ['so is one from outside', false, { ofSite: 3, outside: 4 }, 50, 'take'],
  ['outside neighbours leave half of the places to the site', false, { ofSite: 0, outside: MAX_OUTSIDE }, 50, 'refuse'],
  ['who is alone at a site takes more of them', false, { ofSite: 0, outside: MAX_OUTSIDE }, 1, 'take'],
  ['but no more than it may', false, { ofSite: 0, outside: MAX_CONNECTIONS_ALONE }, 1, 'refuse'],
  ['who has enough refuses', true, { ofSite: MAX_CONNECTIONS, outside: 0 }, 50, 'refuse'],
  ['the site takes places from outside', true, { ofSite: 0, outside: MAX_CONNECTIONS }, 50, 'replace'],
  [
    'but not the last',
    true,
    { ofSite: MAX_CONNECTIONS - OUTSIDE_NEIGHBOURS, outside: OUTSIDE_NEIGHBOURS },
    50,
    'refuse',
  ],
] as const)
  test(what, () => assert.equal(onOffer(sameSite, degree, siteSize), verdict));

test('nobody takes more connections than there may be, whatever is offered', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 200 }), fc.integer({ min: 1, max: 60 }), (offers, siteSize) => {
      const degree = { ofSite: 0, outside: 0 };
      for (const sameSite of offers) {
        const verdict = onOffer(sameSite, degree, siteSize);
        if (verdict === 'replace') degree.outside--;
        if (verdict !== 'refuse') degree[sameSite ? 'ofSite' : 'outside']++;
        assert.ok(degree.ofSite + degree.outside <= MAX_CONNECTIONS);
      }
    }),
  );
});

for (const [what, degree, around, tooFew] of [
  ['one alone has not too few neighbours', NOBODY, { size: 1, siteSize: 1 }, false],
  ['two of a site know each other', { ofSite: 1, outside: 0 }, { size: 2, siteSize: 2 }, false],
  ['a site that knows nobody outside has too few', { ofSite: 8, outside: 0 }, { size: 100, siteSize: 50 }, true],
  ['one that knows only others has too few', { ofSite: 0, outside: 4 }, { size: 100, siteSize: 50 }, true],
  [
    'some of each are enough',
    { ofSite: MIN_NEIGHBOURS, outside: OUTSIDE_NEIGHBOURS },
    { size: 100, siteSize: 50 },
    false,
  ],
  ['all that there are is enough', { ofSite: 2, outside: 1 }, { size: 4, siteSize: 3 }, false],
] as const)
  test(what, () => assert.equal(hasTooFew(degree, around), tooFew));
