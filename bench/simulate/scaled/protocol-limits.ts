/** The product's limits with a sixteenth of the bytes. Lines are as much slower, so all takes the same time; only headers and short messages weigh more. */
import * as real from '../../../protocol/limits.ts';

export * from '../../../protocol/limits.ts';

export const BLOCK_BYTES = real.BLOCK_BYTES / 16;
export const MAX_MESSAGE_BYTES = real.MAX_MESSAGE_BYTES / 16;
export const MIN_MESSAGE_BYTES = real.MIN_MESSAGE_BYTES / 16;
