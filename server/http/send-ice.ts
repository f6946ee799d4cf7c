import { randomBytes } from 'node:crypto';
import type { Context } from 'koa';
import type { IceSource, MayHaveICE } from '../ice.ts';
import { sendBody, sendText } from './send-body.ts';

/** `/p2p/ice`, for whoever does not join by socket.io: the servers of a join reply, with credentials of its own each time. */
export async function sendICE(context: Context, ice: IceSource, mayHaveICE: MayHaveICE): Promise<void> {
  if (await mayHaveICE(context.req)) {
    const grant = ice(randomBytes(8).toString('hex'));
    await sendBody(context, JSON.stringify(grant), { type: 'application/json', cache: 'no-store' });
    return;
  }
  context.set('cache-control', 'no-store');
  sendText(context, 403, 'ICE servers are for those whom this server admits.');
}
