/** A value of whatever kind in a few words, for an error's message. Never throws: `String()` does, for an object with a `toString` of its own. */
export function shown(value: unknown): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  if (typeof value === 'function') return 'a function';
  return String(value).slice(0, 60);
}
