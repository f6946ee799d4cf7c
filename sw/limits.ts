/** Bounds of the service worker's waits. Each number has its unit and its reason. */

/** How long requests of a page that had the kit before wait for its engine, from the page's first request on, ms: the kit starts within 0.2-0.5 s. A page that never had it does not wait. */
export const PORT_WAIT_MS = 1000;

/** How long an engine may take to say that it heard a question, ms; a closed page or a frozen one never does. */
export const HEARD_MS = 500;

/** How long an engine that heard a question may stay without a byte, ms: as long as a bad origin may take for its first. */
export const ENGINE_SILENCE_MS = 10_000;

/** Page paths remembered as having the kit. */
export const MAX_PAGES = 200;
