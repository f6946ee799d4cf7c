/**
 * Removes the namespaces of a test that could not do so itself (SIGKILL). A process and process group of its own; its stdin is a pipe that
 * only the test holds, so it ends with it. `node --import tsx namespace-janitor.ts PREFIX`
 */
import { removeNamespaces } from './network-namespaces.ts';

const [, , prefix] = process.argv;
process.on('SIGINT', () => undefined); // Ctrl+C reaches the whole terminal; this is when we are needed
process.stdin.resume().on('end', () => {
  if (prefix !== undefined) removeNamespaces(prefix);
});
