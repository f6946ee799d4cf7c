/** What the kit tells the author of a page: in plain words, with the fix, and once. */
const told = new Set<string>();

/** More different messages than this are one mistake seen many times over, or a page that was open for days: messages name URLs. The console is left alone then. */
const MAX_MESSAGES = 100;

function isNew(key: string): boolean {
  if (told.has(key) || told.size >= MAX_MESSAGES) return false;
  told.add(key);
  return true;
}

/** Warns once for each `key` (default: the message itself) during a page visit. */
export function warnOnce(message: string, key: string = message): void {
  if (isNew(key)) console.warn(`p2p-elements: ${message}`);
}

/** Like `warnOnce`, for what an author may want to know but need not change: shown where the console shows its debug level. */
export function debugOnce(message: string, key: string = message): void {
  if (isNew(key)) console.debug(`p2p-elements: ${message}`);
}

/** For tests: everything may be said once more. */
export function forgetWarnings(): void {
  told.clear();
}
