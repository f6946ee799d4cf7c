/** The mesh's limits with a sixteenth of the bytes. */
import * as real from '../../../mesh/core/limits.ts';

export * from '../../../mesh/core/limits.ts';

export const SITE_WINDOW_BYTES = real.SITE_WINDOW_BYTES / 16;
export const OUTSIDE_WINDOW_BYTES = real.OUTSIDE_WINDOW_BYTES / 16;
export const CONFIRM_BYTES = real.CONFIRM_BYTES / 16;
export const CHANNEL_REFILL_BYTES = real.CHANNEL_REFILL_BYTES / 16;
export const CONTENT_MESSAGE_BYTES = real.CONTENT_MESSAGE_BYTES / 16;
export const LINE_SAMPLE_BYTES = real.LINE_SAMPLE_BYTES / 16;
export const STORE_BYTES = real.STORE_BYTES / 16;
