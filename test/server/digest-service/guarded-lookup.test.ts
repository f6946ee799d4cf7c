import assert from 'node:assert/strict';
import type { LookupAddress } from 'node:dns';
import { test } from 'node:test';
import { guardedLookup, type Resolve } from '../../../server/digest-service/guarded-lookup.ts';
import { resolvesTo } from './support.ts';

interface Looked {
  readonly error: Error | null;
  readonly address: string | LookupAddress[];
}

const look = (resolve: Resolve, allowsPrivate = false, all = true): Promise<Looked> =>
  new Promise((done) =>
    guardedLookup(allowsPrivate, resolve)('cdn.example', { all }, (error, address) => done({ error, address })),
  );

test('a name gives the addresses that were checked', async () => {
  const all = await look(resolvesTo('1.1.1.1', '2606:4700::1'));
  assert.deepEqual(all, {
    error: null,
    address: [
      { address: '1.1.1.1', family: 4 },
      { address: '2606:4700::1', family: 6 },
    ],
  });
  assert.equal((await look(resolvesTo('1.1.1.1'), false, false)).address, '1.1.1.1');
});

test('a name with one forbidden address among others is refused', async () => {
  for (const addresses of [
    ['10.0.0.1'],
    ['1.1.1.1', '127.0.0.1'],
    ['1.1.1.1', '::ffff:10.0.0.1'],
    ['169.254.169.254'],
  ]) {
    const { error, address } = await look(resolvesTo(...addresses));
    assert.match(error?.message ?? '', /Expected a public address for cdn\.example.*--digest-allow-private/);
    assert.equal(address, '');
  }
});

test('private addresses where that is allowed, link-local ones never', async () => {
  assert.equal((await look(resolvesTo('10.0.0.1'), true, false)).address, '10.0.0.1');
  assert.ok((await look(resolvesTo('169.254.169.254'), true)).error);
});

test('a name without addresses, or that is not known, is an error', async () => {
  assert.match((await look(resolvesTo())).error?.message ?? '', /no address/);
  const unknown: Resolve = (_hostname, _options, done) => done(new Error('ENOTFOUND'), []);
  assert.match((await look(unknown)).error?.message ?? '', /ENOTFOUND/);
});

test('all addresses are asked for, whatever the socket wants, so that none passes unseen', async () => {
  const asked: unknown[] = [];
  const resolve: Resolve = (hostname, options, done) => {
    asked.push(options.all);
    resolvesTo('1.1.1.1')(hostname, options, done);
  };
  await look(resolve, false, false);
  assert.deepEqual(asked, [true]);
});
