// Names of properties that only the engine knows: they never cross to a page, a worker, a server or a library, so the build may shorten them.
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Layers that see each other and `protocol/` alone (scripts/lint.mjs holds them to that). */
const INNER = ['mesh/core', 'mesh/engine'];

/** What is on the other side: our own code, and what browsers and the language know. */
const OUTER = ['protocol', 'mesh/page', 'mesh/tabs', 'mesh/io', 'components', 'sw'];

/** Without the comments that have lines of their own: a word of theirs is no name. */
const textOf = (folder, pattern = /\.ts$/) =>
  readdirSync(folder, { recursive: true })
    .filter((file) => pattern.test(file))
    .map((file) => readFileSync(join(folder, file), 'utf8').replace(/^ *(?:\/\/.*|\/\*[^]*?\*\/)$/gm, ''))
    .join('\n');

/** From each such name to a short one that nobody else uses. The same sources give the same names. */
export function innerNames() {
  const inner = INNER.map((folder) => textOf(join(ROOT, folder))).join('\n');
  const libraries = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'lib');
  const outer = [...OUTER.map((folder) => textOf(join(ROOT, folder))), textOf(libraries, /^lib\..*\.d\.ts$/)].join(
    '\n',
  );
  // A private name is nobody else's.
  const known = new Set(outer.match(/(?<![#\w$])[A-Za-z_$][\w$]*/g));
  // A member of a class, an interface or an object: at the beginning of a line, followed by `(`, `:`, `?` or ` =`.
  const declared = inner.matchAll(/^ +(?:readonly |get |set |async )*([a-z]\w{3,})(?:[(:?]| =)/gm);
  const isQuoted = (name) => inner.includes(`'${name}'`);
  const names = [...new Set(Array.from(declared, ([, name]) => name))].filter(
    (name) => !known.has(name) && !isQuoted(name),
  );
  return Object.fromEntries(names.sort().map((name, i) => [name, shortName(i)]));
}

const LETTERS = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** `$0` to `$Z`, `_0` to `_Z`, then `$00` and so on. */
function shortName(i) {
  const [count, letter] = [Math.floor(i / LETTERS.length), LETTERS[i % LETTERS.length]];
  return count < 2 ? `${'$_'[count]}${letter}` : `$${LETTERS[count - 2]}${letter}`;
}
