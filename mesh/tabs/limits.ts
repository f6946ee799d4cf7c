/** Bounds of what tabs wait for. Each number has its unit and its reason. */

/** A tab that is not first and has not found the one that leads by then loads with an engine of its own, outside the mesh, until it has, ms. It takes 0.1 to 0.2 s, on two busy cores up to 0.5; an engine of its own needs as long, so nothing that the page shows comes more than 0.3 s later for it. */
export const UNDECIDED_AFTER_MS = 500;

/** A service worker that has not said by then who we are is of a version that does not know how, ms: one that was ended needs up to a second to start on a busy machine. */
export const WHO_WAIT_MS = 3000;

/** Looks (TAB_ALIVE_EVERY_MS apart) at nothing after which a tab that never heard of an engine takes the lead by force: as long as an engine may take to start, for the page that leads may be busy with that. */
export const UNHEARD_TICKS = 12;

/** Assets that are brought ahead at a time: one is checked and written while the next one comes. */
export const AHEAD_AT_ONCE = 2;

/** Milliseconds after which the digest service is asked again for what it did not know yet, and after which it is not any more, for it has told nothing new: it gives an asset a minute itself. */
export const NAMES_AGAIN_MS = 1000;
export const NAMES_SILENCE_MS = 60_000;
