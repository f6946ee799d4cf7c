/** Frames and messages as bytes, for tests that speak to a peer. */
import { FrameWriter, type Frame } from '../../protocol/frame.ts';
import { encodeInPieces, type PeerMessage } from '../../protocol/peer-message.ts';

export function encodePeerMessage(message: PeerMessage): Frame {
  const { type, request, pieces } = encodeInPieces(message);
  return { type, request, payload: Uint8Array.from(pieces.flatMap((piece) => [...piece])) };
}

/** Cuts a frame into messages of at most `maxMessageBytes` each. */
export function* fragmentsOf(
  { type, request, payload }: Frame,
  maxMessageBytes: number,
): Generator<Uint8Array<ArrayBuffer>, void, undefined> {
  const writer = new FrameWriter({ type, request, pieces: [payload] });
  while (!writer.done) {
    const message = new Uint8Array(writer.nextBytes(maxMessageBytes));
    writer.write(message);
    yield message;
  }
}
