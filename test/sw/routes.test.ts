import assert from 'node:assert/strict';
import test from 'node:test';
import { routesFor } from '../../sw/routes.ts';

test('the worker is not started for other methods than GET and HEAD, other web origins but by CORS, and what the kit asks the server for', () => {
  assert.deepEqual(routesFor(new URL('https://school.test:8443/p2p-sw.js')), [
    {
      condition: { not: { or: [{ requestMethod: 'GET' }, { requestMethod: 'HEAD' }] } },
      source: 'network',
    },
    {
      condition: {
        not: {
          or: [{ urlPattern: { protocol: 'https', hostname: 'school.test', port: '8443' } }, { requestMode: 'cors' }],
        },
      },
      source: 'network',
    },
    { condition: { urlPattern: { pathname: '/p2p/*' } }, source: 'network' },
  ]);
});
