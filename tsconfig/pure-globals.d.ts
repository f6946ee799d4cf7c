/**
 * Platform objects that messages in protocol/ carry. Pure code may hand them on but not look inside: here they are opaque,
 * and every project that reads the emitted declarations sees its own `lib`'s type under the same name.
 */
interface MessagePort {
  readonly opaque: unique symbol;
}

interface RTCDataChannel {
  readonly opaque: unique symbol;
}

interface AbortSignal {
  readonly opaque: unique symbol;
}
