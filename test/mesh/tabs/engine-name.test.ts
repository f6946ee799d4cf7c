import assert from 'node:assert/strict';
import test from 'node:test';
import { engineName } from '../../../mesh/tabs/tab-engine.ts';
import type { EngineOptions } from '../../../protocol/page.ts';
import { swarmOfName } from '../../../protocol/swarm.ts';

const OPTIONS: EngineOptions = {
  webOrigin: 'https://school.test',
  home: swarmOfName('https://school.test'),
  signal: 'https://school.test',
  manifest: null,
  upload: true,
  maxUpload: null,
  maxStorage: 1e9,
  share: true,
  sharesUnverified: false,
  relayOnly: false,
  patterns: null,
  lot: 5000,
  debug: '',
};

/** Each of these by itself makes a tab want another engine. */
const OTHERWISE = [
  { signal: 'https://elsewhere.test' },
  { manifest: 'https://school.test/list.json' },
  { upload: false },
  { maxUpload: 1e6 },
  { maxStorage: 0 },
  { sharesUnverified: true },
  { relayOnly: true },
  { patterns: { share: ['/media/*'], exclude: [], base: 'https://school.test/' } },
] satisfies Partial<EngineOptions>[];

for (const change of OTHERWISE)
  test(`tabs share no engine where one says otherwise: ${JSON.stringify(change)}`, () =>
    assert.notEqual(engineName({ ...OPTIONS, ...change }), engineName(OPTIONS)));

for (const change of [{ share: false }, { debug: 'p2p:*' }, { maxStorage: 2e9 }])
  test(`tabs share an engine all the same: ${JSON.stringify(change)}`, () =>
    assert.equal(engineName({ ...OPTIONS, ...change }), engineName(OPTIONS)));
