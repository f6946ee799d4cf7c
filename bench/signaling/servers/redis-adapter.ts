/** socket.io's own ways from one server to another by Redis, as their documentation sets them up. */
import { createClient } from '@redis/client';
import { createAdapter, createShardedAdapter } from '@socket.io/redis-adapter';
import { createAdapter as createStreamsAdapter } from '@socket.io/redis-streams-adapter';
import type { Server } from 'socket.io';

type Adapter = NonNullable<Parameters<Server['adapter']>[0]>;

/** Which one: BENCH_ADAPTER, `sharded` (a channel for each socket, as signals to one want it), `streams` or `plain`. */
export async function redisAdapter(url: string): Promise<Adapter> {
  const client = createClient({ url });
  const subscriber = client.duplicate();
  await Promise.all([client.connect(), subscriber.connect()]);
  const kind = process.env['BENCH_ADAPTER'];
  if (kind === 'streams') return createStreamsAdapter(client);
  if (kind === 'plain') return createAdapter(client, subscriber) as Adapter;
  return createShardedAdapter(client, subscriber, { subscriptionMode: 'dynamic-private' }) as Adapter;
}
