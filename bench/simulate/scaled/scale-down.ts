import { register } from 'node:module';

/**
 * From the next import of the product on, blocks have 4 KiB instead of 64. Most of what a simulation costs is the making and copying of
 * bytes that nobody looks at: this saves fifteen sixteenths of it, and a garbage collection for each 64 MB.
 */
export const scaleDown = (): void => register('./hooks.mjs', import.meta.url);
