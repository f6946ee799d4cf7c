// The three builds of dist/: the browser's modules, the service worker and the Node side. scripts/build.mjs runs them.
import { readFileSync } from 'node:fs';
import commonjs from '@rollup/plugin-commonjs';
import json from '@rollup/plugin-json';
import { nodeResolve } from '@rollup/plugin-node-resolve';
import esbuild from 'rollup-plugin-esbuild';
import { bundledLicenses } from './scripts/lib/bundled-licenses.mjs';
import { engineWorker } from './scripts/lib/engine-worker.mjs';
import { slimSocketIO } from './scripts/lib/slim-socket-io.mjs';

export const ELEMENTS = ['p2p-video', 'p2p-img', 'p2p-mesh', 'p2p-stats'];

const browserPlugins = [
  slimSocketIO({ polling: false }),
  nodeResolve({ browser: true, exportConditions: ['production', 'browser', 'default', 'module', 'import'] }),
  commonjs(),
  json(),
  esbuild({ target: 'es2022', minify: true, legalComments: 'none' }),
];

/** A warning is a mistake: an unresolved import, a missing export, a cycle. A package's own cycles are its business. */
const onwarn = (warning) => {
  if (warning.code === 'CIRCULAR_DEPENDENCY' && warning.ids?.every((id) => id.includes('/node_modules/'))) return;
  throw new Error(`rollup: ${warning.message}`);
};

/** Elements, the file for a CDN and the engine's worker: one build, so that the engine is one chunk for the worker and for the main thread. */
const browser = {
  input: {
    index: 'index.ts',
    'p2p-elements': 'components/define/all.ts',
    ...Object.fromEntries(ELEMENTS.map((name) => [name, `components/define/${name}.ts`])),
  },
  plugins: [
    engineWorker('mesh/engine/worker.ts', 'engine-worker.js'),
    ...browserPlugins,
    bundledLicenses('LICENSES.txt'),
  ],
  onwarn,
  output: {
    dir: 'dist/browser',
    format: 'es',
    sourcemap: true,
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name]-[hash].js',
  },
};

/** A classic script without imports: registered everywhere without `type: 'module'`. */
const serviceWorker = {
  input: { 'p2p-sw': 'sw/p2p-sw.ts' },
  plugins: browserPlugins,
  onwarn,
  output: { dir: 'dist/browser', format: 'iife', sourcemap: true, entryFileNames: '[name].js' },
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

export default [browser, serviceWorker, node];
