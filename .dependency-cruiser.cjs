// The layer table of the design, and "no cycles". Type-only imports count. test/tooling/layers.test.ts plants a violation of each kind.

const rule = (name, from, allowed, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from },
  // Packages and Node's own modules are not layers; what may be imported of them is settled by each project's `lib` and `types`.
  to: { pathNot: [...allowed, 'node_modules/'], dependencyTypesNot: ['core'], couldNotResolve: false },
});

module.exports = {
  forbidden: [
    rule('protocol', '^protocol/', ['^protocol/'], 'protocol/ imports only itself.'),
    rule('mesh-core', '^mesh/core/', ['^(protocol|mesh/core)/'], 'mesh/core/ is pure: protocol/ and itself.'),
    rule(
      'mesh-io',
      '^mesh/io/',
      ['^(protocol|mesh/core|mesh/io)/'],
      'mesh/io/ imports protocol/, mesh/core/ and itself.',
    ),
    rule('mesh', '^mesh/(?!core/|io/)', ['^(protocol|mesh)/'], 'mesh/ composes: protocol/ and mesh/*.'),
    rule('sw', '^sw/', ['^(protocol|sw)/'], 'The service worker imports protocol/ and itself.'),
    rule(
      'components',
      '^components/',
      ['^(protocol|components)/', '^mesh/(index|digests)\\.ts$'],
      'Elements see the mesh by its public face only.',
    ),
    rule('server', '^server/', ['^(protocol|server)/'], 'The server imports protocol/ and itself.'),
    rule(
      'index',
      '^index\\.ts$',
      ['^components/', '^mesh/index\\.ts$'],
      'The package entry re-exports the mesh and the element classes.',
    ),
    rule(
      'demo',
      '^demo/',
      ['^demo/', '^index\\.ts$', '^dist/browser/[^/]+\\.js$'],
      'The demo uses public entries only.',
    ),
    { name: 'no-cycles', comment: 'No import cycles.', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'resolvable',
      comment: 'Every import leads somewhere.',
      severity: 'error',
      from: { pathNot: '^demo/' },
      to: { couldNotResolve: true },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: ['node_modules', '^dist/'] },
    exclude: { path: ['^demo/media/', '^test/fixtures/'] },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'browser', 'default', 'types'],
      extensions: ['.ts', '.mjs', '.js', '.d.ts'],
    },
  },
};
