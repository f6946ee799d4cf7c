import { P2PError } from '../../protocol/error.ts';
import type { IceServer } from '../../protocol/signaling.ts';

export interface IceFlags {
  readonly stun?: readonly string[];
  readonly turn?: readonly string[];
  readonly turnUsername?: string;
  readonly turnCredential?: string;
}

/** @throws P2PError `bad-flag` if TURN and its username and credential are not given together */
export function iceServersOf({
  stun,
  turn,
  turnUsername: username,
  turnCredential: credential,
}: IceFlags): IceServer[] {
  const servers: IceServer[] = stun === undefined ? [] : [{ urls: stun }];
  if (turn === undefined && username === undefined && credential === undefined) return servers;
  if (turn === undefined || username === undefined || credential === undefined) {
    throw new P2PError(
      'bad-flag',
      'Expected --turn, --turn-username and --turn-credential together: browsers refuse a TURN server without both. Give all three, or none.',
    );
  }
  return [...servers, { urls: turn, username, credential }];
}
