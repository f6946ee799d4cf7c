// Keeps the browser's part of dist/ for the test that an earlier build and the one of today understand each other: test/scenarios/versions.scenario.ts. Run it after a release.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const from = process.argv[2] ?? join(ROOT, 'dist/browser');

/** Players are large, and have nothing to do with workers; the main thread runs no engine where there are workers. */
const isWanted = (file) => file.endsWith('.js') && !/hls|run-engine/.test(file);

const files = readdirSync(from, { recursive: true }).filter(isWanted).sort();
const build = Object.fromEntries(files.map((file) => [file, readFileSync(join(from, file), 'utf8')]));
const kept = join(ROOT, 'test/fixtures/earlier-build.json.gz');
writeFileSync(kept, gzipSync(JSON.stringify(build), { level: 9 }));
console.log(`${files.length} files in ${kept}`);
