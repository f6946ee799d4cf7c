/** Walks the package's exports map over the built dist/: what a user can name exists, loads and brings nothing heavy along. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import test from 'node:test';
import { Script } from 'node:vm';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { build, type Metafile } from 'esbuild';
import ts from 'typescript';
import { ROOT } from '../harness/serve.ts';

type Target = string | { readonly types: string; readonly default: string };

const { exports, bin } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as {
  exports: Record<string, Target>;
  bin: Record<string, string>;
};
const fileOf = (target: Target): string => (typeof target === 'string' ? target : target.default);
const BROWSER_MODULES = Object.values(exports)
  .map(fileOf)
  .filter((file) => file.startsWith('./dist/browser/') && !file.endsWith('p2p-sw.js'));
const BUILT = readdirSync(`${ROOT}dist/browser`, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.js'),
);

const isModuleOf = (file: string, name: string): boolean =>
  sourcesOf(file).some((source) => source.includes(`node_modules/${name}/`));
const sourcesOf = (file: string): string[] =>
  (JSON.parse(readFileSync(`${ROOT}${file}.map`, 'utf8')) as { sources: string[] }).sources;

/** The imports of a built module and of all that it leads to. esbuild fails where one leads nowhere. */
async function importsOf(file: string): Promise<Metafile['inputs']> {
  const { metafile } = await build({
    entryPoints: [file],
    absWorkingDir: resolve(ROOT),
    bundle: true,
    write: false,
    metafile: true,
    splitting: true,
    format: 'esm',
    outdir: 'out',
    logLevel: 'silent',
  });
  return metafile.inputs;
}

async function staticReach(file: string): Promise<string[]> {
  const inputs = await importsOf(file);
  const reached = new Set([file.replace('./', '')]);
  for (const path of reached) {
    for (const { path: next, kind } of inputs[path]!.imports) if (kind === 'import-statement') reached.add(next);
  }
  return [...reached];
}

test('every file that the exports map and the command name exists', () => {
  const files = [
    ...Object.values(exports).flatMap((target) => (typeof target === 'string' ? [target] : Object.values(target))),
    ...Object.values(bin),
  ];
  assert.deepEqual(
    files.filter((file) => !existsSync(join(ROOT, file))),
    [],
  );
});

for (const file of BROWSER_MODULES) {
  test(`${file} is a module whose imports, dynamic ones too, all lead to files`, async () => {
    assert.ok(Object.keys(await importsOf(file)).length > 0);
  });
}

test('no module of the browser brings hls.js along, and only the video, and what brings playlists ahead, can ask for it', async () => {
  for (const file of BROWSER_MODULES) {
    const heavy = (await staticReach(file)).filter((path) => isModuleOf(path, 'hls.js'));
    assert.deepEqual(heavy, [], file);
  }
  const isHls = (path: string): boolean => isModuleOf(path, 'hls.js');
  assert.ok(Object.keys(await importsOf('./dist/browser/p2p-video.js')).some(isHls));
  const askers = Object.entries(await importsOf('./dist/browser/p2p-img.js'))
    .filter(([, { imports }]) => imports.some(({ path }) => isHls(path)))
    .flatMap(([path]) => sourcesOf(path));
  assert.ok(askers.length > 0 && askers.every((source) => /prefetch|protocol\//.test(source)), askers.join());
});

test("the engine's worker is one file, so that it starts after one request", async () => {
  assert.ok(sourcesOf('dist/browser/engine-worker.js').some((source) => source.endsWith('mesh/engine/engine.ts')));
  assert.deepEqual(await staticReach('./dist/browser/engine-worker.js'), ['dist/browser/engine-worker.js']);
});

test('the service worker is a classic script without imports', () => {
  const code = readFileSync(`${ROOT}dist/browser/p2p-sw.js`, 'utf8');
  new Script(code);
  assert.doesNotMatch(code, /\bimport(Scripts)?\s*\(/);
});

test('the server loads in Node, and the command has its first line and its help', async () => {
  const server = (await import(join(ROOT, 'dist/server.js'))) as Record<string, unknown>;
  assert.ok(Object.keys(server).length > 0);
  const lines = readFileSync(`${ROOT}dist/cli.js`, 'utf8').split('\n');
  assert.equal(lines[0], '#!/usr/bin/env node');
  assert.ok(!lines[1]!.startsWith('#!'));
  assert.match(execFileSync(`${ROOT}dist/cli.js`, ['--help'], { encoding: 'utf8' }), /serve/);
});

test('each built script has its source map and its compressed twins', () => {
  for (const file of BUILT) {
    const path = `${ROOT}dist/browser/${file}`;
    const code = readFileSync(path);
    assert.doesNotMatch(code.toString('utf8'), /sourceMappingURL/, `${file}: the server names it`);
    assert.ok(sourcesOf(`dist/browser/${file}`).length > 0 || code.length < 1000, file);
    assert.deepEqual(brotliDecompressSync(readFileSync(`${path}.br`)), code, file);
    assert.deepEqual(gunzipSync(readFileSync(`${path}.gz`)), code, file);
  }
});

for (const moduleResolution of ['Bundler', 'NodeNext'] as const) {
  test(`the declarations work for a user who resolves modules as "${moduleResolution}"`, () => {
    const typed = Object.entries(exports).filter(([, target]) => typeof target !== 'string');
    const code = typed.map(
      ([name], i) =>
        `import * as m${i} from '${name.replace('.', 'p2p-elements')}';\nexport const n${i}: { [name: string]: unknown } = m${i};`,
    );
    assert.deepEqual(typeErrors(code.join('\n'), moduleResolution), []);
    assert.match(
      typeErrors(`import { nothing } from 'p2p-elements/p2p-video'; nothing;`, moduleResolution).join(),
      /nothing/,
    );
  });
}

/** Compiles a module that lies in this package's folder and names the package as a user would (Node's self-reference). */
function typeErrors(code: string, resolution: 'Bundler' | 'NodeNext'): string[] {
  const file = `${ROOT}consumer-${resolution}.ts`;
  const options: ts.CompilerOptions = {
    module: resolution === 'Bundler' ? ts.ModuleKind.ESNext : ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind[resolution],
    target: ts.ScriptTarget.ES2023,
    lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
    types: ['node'],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (path) => path === file || fileExists(path);
  host.getSourceFile = (path, ...rest) =>
    path === file ? ts.createSourceFile(path, code, ts.ScriptTarget.ES2023) : getSourceFile(path, ...rest);
  const program = ts.createProgram([file], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

test('the package has the demo and the license in it, and no tests', () => {
  const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [{ files }] = JSON.parse(output) as [{ files: { path: string }[] }];
  const paths = files.map(({ path }) => path);
  for (const path of [
    'LICENSE',
    'README.md',
    'dist/cli.js',
    'dist/browser/LICENSES.txt',
    'demo/media/lesson/index.m3u8',
    'dist/types/index.d.ts',
  ]) {
    assert.ok(paths.includes(path), path);
  }
  assert.deepEqual(
    paths.filter((path) => !/^(dist|demo)\/|^(LICENSE|README\.md|package\.json)$/.test(path)),
    [],
  );
  assert.deepEqual(
    paths.filter((path) => /dist\/types\/(test|bench)\//.test(path)),
    [],
  );
});
