import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { covers, parseClaims } from '../../../server/admission/token-grant.ts';
import { swarmId } from '../support.ts';

const opens = (pattern: string, swarm: string): boolean => covers({ swarms: [pattern] }, swarmId(swarm));

test('claims become a grant; what is not ours is ignored', () => {
  assert.deepEqual(parseClaims({ sub: 'a', exp: 2, swarms: ['x*'], peers: 3, iat: 1, admin: true }), {
    subject: 'a',
    expires: 2000,
    swarms: ['x*'],
    peers: 3,
  });
  assert.equal(parseClaims({ sub: 'a', exp: 2, swarms: ['x'] })?.peers, Infinity);
});

test('claims that are missing, of another kind or out of bounds are no grant', () => {
  const right = { sub: 'a', exp: 2, swarms: ['x'] };
  for (const wrong of [
    null,
    'x',
    {},
    { ...right, sub: '' },
    { ...right, sub: 7 },
    { ...right, exp: '2' },
    { ...right, exp: Infinity },
    { ...right, swarms: 'x' },
    { ...right, swarms: [] },
    { ...right, swarms: [''] },
    { ...right, swarms: ['x'.repeat(513)] },
    { ...right, peers: 1.5 },
    { ...right, peers: null },
  ])
    assert.equal(parseClaims(wrong), undefined, JSON.stringify(wrong));
});

test('a pattern opens what it says, and * any characters', () => {
  assert.ok(opens('https://a.example', 'https://a.example'));
  assert.ok(!opens('https://a.example', 'https://a.example/film.m3u8'));
  assert.ok(opens('https://a.example*', 'https://a.example/film.m3u8'));
  assert.ok(opens('https://a.example/*/film.m3u8', 'https://a.example/x/y/film.m3u8'));
  assert.ok(!opens('https://a.example/*/film.m3u8', 'https://a.example/film.m3u8'));
  assert.ok(opens('*', 'anything'));
  assert.ok(opens('a*b*c', 'abc') && opens('a*b*c', 'aXbYc') && !opens('a*b*c', 'acb'));
  assert.ok(!opens('ab*ba', 'aba'), 'what the beginning took the end does not get');
  assert.ok(!opens('a.c', 'abc'), 'no other character means anything');
});

test('patterns match as the regular expression of the same meaning does', () => {
  const text = fc.array(fc.constantFrom('a', 'b', '.', '/')).map((list) => list.join(''));
  const pattern = fc.array(fc.constantFrom('a', 'b', '.', '*'), { minLength: 1 }).map((list) => list.join(''));
  fc.assert(
    fc.property(pattern, text, (item, swarm) => {
      const expression = new RegExp(`^${item.replaceAll('.', '\\.').replaceAll('*', '[^]*')}$`);
      assert.equal(opens(item, swarm), expression.test(swarm));
    }),
  );
});
