import type { PeerId } from '../../protocol/ids.ts';
import type { ClaimReply, Done, JoinReply, Refusal, SwarmView } from '../../protocol/signaling.ts';

/** What a session may say. */
export type Reply = JoinReply | ClaimReply | Done | Refusal;

/** What JSON.stringify() says, of a join's answer in less than half the time: most of it are ids, whose hex digits need no look at each. */
export const replyJSON = (reply: Reply): string => ('swarms' in reply ? joinReplyJSON(reply) : JSON.stringify(reply));

function joinReplyJSON({ ok, peer, resume, swarms, iceServers, iceTTL, off }: JoinReply): string {
  const views = swarms.map(viewJSON).join(',');
  const ice = iceServers.length === 0 ? '[]' : JSON.stringify(iceServers);
  const rest = iceTTL === undefined && off === undefined ? '' : `,${JSON.stringify({ iceTTL, off }).slice(1, -1)}`;
  return `{"ok":${ok},"peer":"${peer}","resume":"${resume}","swarms":[${views}],"iceServers":${ice}${rest}}`;
}

const viewJSON = ({ swarm, size, siteSize, sites, keeper, next, members, others }: SwarmView): string =>
  `{"swarm":${JSON.stringify(swarm)},"size":${size},"siteSize":${siteSize},"sites":${sites},"keeper":"${keeper}","next":${idsJSON(next)},"members":${idsJSON(members)},"others":${idsJSON(others)}}`;

const idsJSON = (ids: readonly PeerId[]): string => (ids.length === 0 ? '[]' : `["${ids.join('","')}"]`);
