/**
 * Tidies up behind a classroom that could not do so itself (SIGKILL). A process and process group of its own; its stdin is a pipe that
 * only the classroom holds, so it ends with it. `node --import tsx janitor.ts FOLDER`
 */
import { rmSync } from 'node:fs';
import { teardown } from './namespaces.ts';

process.on('SIGINT', () => undefined); // Ctrl+C reaches the whole terminal; this is when we are needed
process.stdin.resume().on('end', () => {
  teardown();
  const folder = process.argv[2];
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});
