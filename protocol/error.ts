/** What went wrong, for code that reacts to it. The message is for people. */
export type P2PErrorCode =
  | 'bad-attribute'
  | 'bad-digest'
  | 'bad-flag'
  | 'bad-frame'
  | 'bad-manifest'
  | 'bad-message'
  | 'bad-playlist-tag'
  | 'bad-url'
  | 'digest-mismatch'
  | 'engine-failed'
  | 'insecure-context'
  | 'manifest-unreachable'
  | 'origin-failed'
  | 'peer-banned'
  | 'signaling-unreachable'
  | 'storage-failed'
  | 'unauthorized'
  | 'webrtc-unavailable'
  | 'worker-unavailable';

/** The one error class of the kit. `details` holds the values that the message speaks of. */
export class P2PError extends Error {
  override readonly name = 'P2PError';
  readonly code: P2PErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: P2PErrorCode, message: string, details: Record<string, unknown> = {}) {
    super(message);
    this.code = code;
    this.details = details;
  }
}
