import type { Sha256 } from '../../protocol/ids.ts';

type SubtleSource = { readonly subtle?: SubtleCrypto };

/** SHA-256 of the platform; on plain HTTP, where there is no `crypto.subtle`, of a small library that is loaded only then. */
export function createSha256(source: SubtleSource = crypto): Sha256 {
  const { subtle } = source;
  if (subtle) return async (bytes) => new Uint8Array(await subtle.digest('SHA-256', bytes));
  let library: Promise<typeof import('@noble/hashes/sha2.js')> | null = null;
  return async (bytes) => {
    // One that could not be loaded is asked for again.
    library ??= import('@noble/hashes/sha2.js').catch((error: unknown) => {
      library = null;
      throw error;
    });
    return new Uint8Array((await library).sha256(bytes));
  };
}
