/** The classroom's section of docs/benchmarks.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { ROOT } from '../../test/harness/serve.ts';

const FILE = join(ROOT, 'docs', 'benchmarks.md');
const [BEGIN, END] = ['<!-- classroom: begin -->', '<!-- classroom: end -->'];

export interface Section {
  readonly table: string;
  /** As one would type it. */
  readonly command: string;
  readonly when: Date;
}

/** Replaces the section, and leaves the rest of the page alone. */
export async function writeSection(section: Section): Promise<void> {
  const page = replaceSection(readFileSync(FILE, 'utf8'), section, cpus().length);
  writeFileSync(FILE, await format(page, { ...(await resolveConfig(FILE)), parser: 'markdown' }));
}

/** @throws if the page has no such section */
export function replaceSection(page: string, { table, command, when }: Section, cores: number): string {
  const [before, rest] = split(page, BEGIN);
  const [, after] = split(rest, END);
  const date = when.toISOString().slice(0, 10);
  return `${before}${BEGIN}\n\n${date}, \`${command}\`, ${cores} cores, Node ${process.versions.node}:\n\n${table}\n\n${END}${after}`;
}

function split(text: string, mark: string): [before: string, after: string] {
  const at = text.indexOf(mark);
  if (at === -1)
    throw new Error(`Expected the line "${mark}" in docs/benchmarks.md. Put it back where the table belongs.`);
  return [text.slice(0, at), text.slice(at + mark.length)];
}
