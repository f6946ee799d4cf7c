import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command } from 'commander';
import { digestServiceOf, withDigestFlags, type DigestFlags } from '../../../server/cli/digest-flags.ts';
import { byteSize } from '../../../server/cli/flag-values.ts';

/** What these flags mean. @throws commander's error for a value that is none */
function parse(...args: string[]) {
  const silent = { writeErr: () => undefined, writeOut: () => undefined };
  const command = withDigestFlags(new Command('serve').exitOverride().configureOutput(silent));
  return digestServiceOf(command.parse(args, { from: 'user' }).opts<DigestFlags>());
}

test('without a flag there is no service', () => {
  assert.equal(parse(), undefined);
  assert.equal(parse('--digest-allow-private', 'no'), undefined);
});

test('origins, folder, size and private networks', () => {
  assert.deepEqual(parse('--digest-origins', 'https://a.example, http://b.example:8080'), {
    origins: ['https://a.example', 'http://b.example:8080'],
  });
  assert.deepEqual(
    parse(
      '--digest-origins',
      'https://a.example',
      '--digest-cache',
      'd',
      '--digest-cache-size',
      '1gb',
      '--digest-allow-private',
    ),
    { origins: ['https://a.example'], cache: 'd', cacheBytes: 1024 ** 3, allowsPrivate: true },
  );
});

test('each flag has its environment variable', () => {
  const variables = {
    P2P_DIGEST_ORIGINS: 'https://a.example',
    P2P_DIGEST_CACHE: 'd',
    P2P_DIGEST_CACHE_SIZE: '10mb',
    P2P_DIGEST_ALLOW_PRIVATE: 'yes',
  };
  const before = process.env;
  process.env = { ...before, ...variables };
  try {
    assert.deepEqual(parse(), {
      origins: ['https://a.example'],
      cache: 'd',
      cacheBytes: 10 * 1024 ** 2,
      allowsPrivate: true,
    });
    process.env['P2P_DIGEST_ALLOW_PRIVATE'] = 'false';
    assert.equal(parse()?.allowsPrivate, false);
  } finally {
    process.env = before;
  }
});

test('what can not be meant is refused with what was expected', () => {
  for (const [args, expected] of [
    [['--digest-origins', '*'], /not \*/],
    [['--digest-origins', 'a.example'], /Expected \* or origins/],
    [['--digest-origins', 'https://a.example/path'], /no path/],
    [['--digest-origins', ''], /origins/],
    [['--digest-origins', 'https://a.example', '--digest-cache-size', '1gb'], /--digest-cache with/],
    [['--digest-cache', 'd'], /--digest-origins/],
    [['--digest-allow-private'], /--digest-origins/],
    [['--digest-allow-private', 'perhaps'], /yes or no/],
  ] as const)
    assert.throws(() => parse(...args), expected, args.join(' '));
});

test('sizes', () => {
  assert.deepEqual(['1', '5b', '2kb', '1.5MB', ' 3 gb '].map(byteSize), [1, 5, 2048, 1_572_864, 3 * 1024 ** 3]);
  for (const text of ['', '0', '-1mb', 'mb', '1 m', '1e3', '5pb', 'NaN', '0.0001kb'])
    assert.throws(() => byteSize(text), /Expected a size/, text);
});
