/** Plants every import between two folders, allowed and forbidden, and cycles, and lets `npm run lint`'s tool look at them with the real rules. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import test, { after, before } from 'node:test';
import { ROOT } from '../harness/serve.ts';

/** The table of the design: folder → what it may import besides itself. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  protocol: [],
  'mesh/core': ['protocol'],
  'mesh/io': ['protocol', 'mesh/core'],
  'mesh/engine': ['protocol', 'mesh/core', 'mesh/io', 'mesh/page', 'mesh/index.ts'],
  'mesh/page': ['protocol', 'mesh/core', 'mesh/io', 'mesh/engine', 'mesh/index.ts'],
  'mesh/index.ts': ['protocol', 'mesh/core', 'mesh/io', 'mesh/engine', 'mesh/page'],
  sw: ['protocol'],
  components: ['protocol', 'mesh/index.ts'],
  server: ['protocol'],
  'index.ts': ['components', 'mesh/index.ts'],
  demo: ['index.ts'],
};
const EVERYTHING = [...Object.keys(MAY_IMPORT), 'test', 'bench'];

/** What is imported: a leaf of each folder, so that imports both ways make no cycle. */
const target = (layer: string): string => (layer.endsWith('.ts') ? layer : `${layer}/target.ts`);

interface Violation {
  readonly rule: { readonly name: string };
  readonly from: string;
  readonly to: string;
}

class Tree {
  readonly root = mkdtempSync(join(tmpdir(), 'p2p-layers-'));

  constructor() {
    copyFileSync(`${ROOT}.dependency-cruiser.cjs`, join(this.root, '.dependency-cruiser.cjs'));
    writeFileSync(join(this.root, 'package.json'), '{ "type": "module" }');
    for (const layer of EVERYTHING) this.write(target(layer), 'export type T = 1;\nexport const value = 1;\n');
  }

  write(path: string, content: string): void {
    mkdirSync(join(this.root, dirname(path)), { recursive: true });
    writeFileSync(join(this.root, path), content);
  }

  /** A file that imports another, by value or for its types only. */
  plant(from: string, to: string, kind: 'value' | 'type'): void {
    const path = relative(dirname(from), to);
    const name = path.startsWith('.') ? path : `./${path}`;
    const code =
      kind === 'type'
        ? `import type { T } from '${name}';\nexport type U = T;\n`
        : `export { value } from '${name}';\n`;
    this.write(from, code);
  }

  async check(): Promise<Violation[]> {
    const args = [
      `${ROOT}node_modules/dependency-cruiser/bin/dependency-cruise.mjs`,
      '--config',
      '.dependency-cruiser.cjs',
      '--output-type',
      'json',
      '.',
    ];
    const output = await new Promise<string>((resolve) => {
      execFile(process.execPath, args, { cwd: this.root, maxBuffer: 64 << 20 }, (_error, stdout) => resolve(stdout));
    });
    return (JSON.parse(output) as { summary: { violations: Violation[] } }).summary.violations;
  }
}

let tree: Tree;
before(() => (tree = new Tree()));
after(() => rmSync(tree.root, { recursive: true, force: true }));

test('a tree without violations passes', async () => {
  assert.deepEqual(await tree.check(), []);
});

test('each import that the table forbids is reported, type-only ones included, and no other', async () => {
  const expected: string[] = [];
  for (const from of Object.keys(MAY_IMPORT).filter((layer) => !layer.endsWith('.ts'))) {
    for (const to of EVERYTHING.filter((layer) => layer !== from)) {
      for (const kind of ['value', 'type'] as const) {
        const file = `${from}/${kind}-of-${to.replaceAll('/', '-')}${to.endsWith('.ts') ? '' : '.ts'}`;
        tree.plant(file, target(to), kind);
        if (!MAY_IMPORT[from]!.includes(to)) expected.push(`${file} → ${target(to)}`);
      }
    }
  }
  const found = (await tree.check()).map(({ from, to }) => `${from} → ${to}`);
  assert.deepEqual(found.sort(), expected.sort());
  assert.ok(expected.length > 100);
});

for (const from of ['index.ts', 'mesh/index.ts']) {
  test(`${from} imports what the table allows and nothing else`, async (t) => {
    const single = new Tree();
    t.after(() => rmSync(single.root, { recursive: true, force: true }));
    const others = EVERYTHING.filter((layer) => layer !== from);
    single.write(from, others.map((to) => `import './${relative(dirname(from), target(to))}';\n`).join(''));
    const found = (await single.check()).map(({ to }) => to);
    assert.deepEqual(
      found.sort(),
      others
        .filter((to) => !MAY_IMPORT[from]!.includes(to))
        .map(target)
        .sort(),
    );
  });
}

test('cycles are reported, type-only ones included, and imports that lead nowhere', async (t) => {
  const cyclic = new Tree();
  t.after(() => rmSync(cyclic.root, { recursive: true, force: true }));
  for (const kind of ['value', 'type'] as const) {
    cyclic.plant(`protocol/${kind}-a.ts`, `protocol/${kind}-b.ts`, kind);
    cyclic.plant(`protocol/${kind}-b.ts`, `protocol/${kind}-a.ts`, kind);
  }
  cyclic.plant('sw/lost.ts', 'sw/nowhere.ts', 'value');
  const found = (await cyclic.check()).map(({ rule, from }) => `${rule.name} ${from}`);
  const cycles = ['type-a', 'value-a'].map((name) => `no-cycles protocol/${name}.ts`); // one report a cycle
  assert.deepEqual(found.sort(), [...cycles, 'resolvable sw/lost.ts']);
});
