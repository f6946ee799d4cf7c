import { FrameAssembler } from '../../../protocol/frame.ts';
import { parsePeerMessage, type PeerMessage } from '../../../protocol/peer-message.ts';

/** Reads along on one direction of a link and puts what is said into words. */
export class WireTap {
  readonly #assembler = new FrameAssembler();

  /** The lines that this message completes. */
  lines(message: Uint8Array<ArrayBuffer>): string[] {
    try {
      const frame = this.#assembler.accept(message.slice());
      return frame ? [describe(parsePeerMessage(frame))] : [];
    } catch {
      return [`malformed ${message.length}`];
    }
  }
}

function describe(message: PeerMessage): string {
  switch (message.type) {
    case 'hello':
      return `hello ${message.version} ${message.swarms.map(short).join(' ')}`;
    case 'have':
    case 'lost':
    case 'queued':
      return `${message.type} ${short(message.swarm)}: ${message.digests.map(short).join(' ')}`;
    case 'fetching':
      return `fetching ${short(message.swarm)}: ${short(message.digest)} hops ${message.hops} line ${message.lineRate}`;
    case 'want':
      return `want ${short(message.swarm)}: ${message.wants.map(({ digest, within }) => `${short(digest)} in ${within}`).join(' ')}`;
    case 'named':
      return `named ${short(message.swarm)}: ${message.names.map(({ urlKey, digest }) => `${short(urlKey)} ${short(digest)}`).join(' ')}`;
    case 'request':
      return `request ${message.request} ${short(message.digest)} ${message.first}+${message.count}${message.leaves ? ' leaves' : ''}`;
    case 'pick':
      return `pick ${message.request} ${short(message.digest)} of ${message.blocks.join(' ')}${message.leaves ? ' leaves' : ''}`;
    case 'bitfield':
      return `bitfield ${short(message.digest)}: ${message.blocks.join(' ')}`;
    case 'credit':
      return `credit ${message.bytes}`;
    case 'leaves':
      return `leaves ${message.request} of ${message.size}`;
    case 'block':
      return `block ${message.request} #${message.index} ${message.untrustedBlock.length}`;
    case 'refuse':
      return `refuse ${message.request} ${message.reason}`;
    case 'cancel':
    case 'ping':
    case 'pong':
      return `${message.type} ${message.request}`;
    case 'bye':
      return 'bye';
    default:
      return message satisfies never;
  }
}

const short = (hex: string): string => hex.slice(0, 8);
