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
  switch (process.env['BENCH_ADAPTER']) {
    case 'streams':
      return createStreamsAdapter(client);
    case 'plain':
      return createAdapter(client, subscriber) as Adapter;
    default:
      return createShardedAdapter(client, subscriber, { subscriptionMode: 'dynamic-private' }) as Adapter;
  }
}
