/** Bounds of the service worker's waits. Each number has its unit and its reason. */

/** How long requests of a page that had the kit before wait for its engine, from the page's first request on, ms: the kit starts within 0.2-0.5 s. A page that never had it does not wait. */
export const PORT_WAIT_MS = 1000;

/** How long a request for what is not listed waits for the page's engine, ms: no first picture is to come more than 0.3 s later. */
export const UNVERIFIED_WAIT_MS = 300;

/** How long a page that gave its port may take to tell what its manifest lists, ms, as long as its engine waits for the manifest. Requests until then wait, those after it go to the network. */
export const LIST_WAIT_MS = 1000;

/** How long an engine may take to say that it heard a question, ms; a closed page or a frozen one never does. */
export const HEARD_MS = 500;

/** How long an engine that heard a question may stay without a byte, ms: as long as a bad origin may take for its first. */
export const ENGINE_SILENCE_MS = 10_000;

/** Page paths remembered as having the kit. */
export const MAX_PAGES = 200;

/** Bytes that an answer is read ahead of who takes it: a tenth of a second of 20 Mbit/s, so that neither the port nor the page waits for the other. */
export const READ_AHEAD_BYTES = 256 * 1024;

/** Bytes of one 206, at most: Firefox ends a worker that gives an answer for longer than half a minute, and calls whole what was given. A piece of this size is given in 9 s at 1 Mbit/s. */
export const MAX_PIECE_BYTES = 1024 * 1024;

/** Pages and workers' scripts kept for when the origin is gone; the oldest goes first. */
export const MAX_DOCUMENTS = 50;

/** Pages in a row that had the kit and have it no more, and visits in a row where no page is known to have it: then the site has given it up. A page that is only slow to start the kit counts until it does. */
export const MAX_SILENT_PAGES = 10;
export const MAX_SILENT_VISITS = 3;
