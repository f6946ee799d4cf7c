// The builds of dist/: the browser's modules, the engine's worker, the service worker and the Node side. scripts/build.mjs runs them.
import { readFileSync } from 'node:fs';
import commonjs from '@rollup/plugin-commonjs';
import json from '@rollup/plugin-json';
import { nodeResolve } from '@rollup/plugin-node-resolve';
import terser from '@rollup/plugin-terser';
import esbuild from 'rollup-plugin-esbuild';
import { bundledLicenses } from './scripts/lib/bundled-licenses.mjs';
import { engineWorker } from './scripts/lib/engine-worker.mjs';
import { innerNames } from './scripts/lib/inner-names.mjs';

export const ELEMENTS = ['p2p-video', 'p2p-img', 'p2p-mesh', 'p2p-asset', 'p2p-stats'];

/** A few percent on top of esbuild; not for hls.js, which would take half a minute. */
function squeeze() {
  const { renderChunk } = terser({
    module: true,
    ecma: 2020,
    compress: { passes: 3, inline: 1, lhs_constants: false, pure_getters: true, sequences: false, unsafe_arrows: true },
  });
  return {
    name: 'squeeze',
    renderChunk: (code, chunk, ...rest) => (chunk.name.startsWith('hls') ? null : renderChunk(code, chunk, ...rest)),
  };
}

const mangleCache = innerNames();
const shortened = { mangleCache, mangleProps: new RegExp(`^(${Object.keys(mangleCache).join('|')})$`) };

const browserPlugins = [
  nodeResolve({ browser: true, exportConditions: ['production', 'browser', 'default', 'module', 'import'] }),
  commonjs(),
  json(),
  esbuild({ target: 'es2022', minify: true, legalComments: 'none', ...shortened }),
];

/** A warning is a mistake: an unresolved import, a missing export, a cycle. A package's own cycles are its business. */
const onwarn = (warning) => {
  if (warning.code === 'CIRCULAR_DEPENDENCY' && warning.ids?.every((id) => id.includes('/node_modules/'))) return;
  throw new Error(`rollup: ${warning.message}`);
};

/** What every page with an element needs is one chunk, so that an element costs few requests; Lit's templates and hls.js come with who uses them. */
const SHARED =
  /\/(protocol\/(error|limits|page|swarm|worker)|mesh\/(index|page\/(?!(?:prefetch|digest-names)\.)[a-z-]+|tabs\/(?!follow\.)[a-z-]+)|components\/(define\/define|native-mirror|use-mesh|p2p-img))\.ts$/;
/** What reads digest tags is one, too. */
const TAGS = /\/protocol\/(ids|playlist-tag)\.ts$/;
const shared = (id) => (SHARED.test(id) ? 'shared' : TAGS.test(id) ? 'playlist-tag' : undefined);

/** Beside each file, but not named in it: that would be 40 B in each, for every viewer. Our server names them in a `SourceMap` header. */
const MAPS = 'hidden';

/** Elements and the file for a CDN, with the engine as a chunk for pages where it can't be in a worker. */
const browser = {
  input: {
    index: 'index.ts',
    'p2p-elements': 'components/define/all.ts',
    ...Object.fromEntries(ELEMENTS.map((name) => [name, `components/define/${name}.ts`])),
  },
  plugins: [
    engineWorker('mesh/engine/worker.ts', 'engine-worker.js'),
    ...browserPlugins,
    squeeze(),
    bundledLicenses('LICENSES.txt'),
  ],
  onwarn,
  output: {
    dir: 'dist/browser',
    format: 'es',
    sourcemap: MAPS,
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name]-[hash].js',
    manualChunks: shared,
  },
};

/** The engine's worker: what everybody needs is one file, so that it starts after one request. */
const worker = {
  input: { 'engine-worker': 'mesh/engine/worker.ts' },
  plugins: [...browserPlugins, squeeze()],
  onwarn,
  output: {
    dir: 'dist/browser',
    format: 'es',
    sourcemap: MAPS,
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/worker-[name]-[hash].js',
  },
};

/** A classic script without imports: registered everywhere without `type: 'module'`. */
const serviceWorker = {
  input: { 'p2p-sw': 'sw/p2p-sw.ts' },
  plugins: [...browserPlugins, squeeze()],
  onwarn,
  output: { dir: 'dist/browser', format: 'iife', sourcemap: MAPS, entryFileNames: '[name].js' },
};

/** Server and command line. Shared chunks lie beside them, so that `import.meta.url` means the same folder everywhere. */
const node = {
  input: { server: 'server/index.ts', cli: 'server/cli.ts' },
  external: (id) => !/^[./]/.test(id),
  plugins: [json(), esbuild({ target: 'node20' })],
  onwarn,
  output: {
    dir: 'dist',
    format: 'es',
    sourcemap: true,
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    banner: (chunk) =>
      chunk.name === 'cli' && !readFileSync('server/cli.ts', 'utf8').startsWith('#!') ? '#!/usr/bin/env node' : '',
  },
};

/** The same for a service worker of the site's own, which imports it. */
const siteWorker = {
  input: { sw: 'sw/handle-fetch.ts' },
  plugins: [...browserPlugins, squeeze()],
  onwarn,
  output: { dir: 'dist/browser', format: 'es', sourcemap: MAPS, entryFileNames: '[name].js' },
};

export default [browser, worker, serviceWorker, siteWorker, node];
