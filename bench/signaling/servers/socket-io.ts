/** The smallest signaling relay on socket.io, with all its defaults: what one writes first. */
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { MAX_NEIGHBOURS } from '../../../protocol/limits.ts';
import { answerGenerator } from './control.ts';
import { redisAdapter } from './redis-adapter.ts';

const http = createServer();
const pingMs = process.env['BENCH_PING_MS'];
const io = new Server(http, pingMs === undefined ? {} : { pingInterval: Number(pingMs) });
if (process.env['BENCH_REDIS'] !== undefined) io.adapter(await redisAdapter(process.env['BENCH_REDIS']));
io.on('connection', (socket) => {
  socket.on('join', (room: string, acknowledge: (reply: object) => void) => {
    const introduced: string[] = [];
    // the first members: picking them at random would copy the room for each newcomer
    for (const id of io.sockets.adapter.rooms.get(room) ?? []) {
      if (introduced.length === MAX_NEIGHBOURS) break;
      introduced.push(id);
    }
    void socket.join(room);
    acknowledge({ id: socket.id, introduced });
  });
  socket.on('signal', (to: string, signal: unknown, acknowledge?: (reply: object) => void) => {
    io.to(to).emit('signal', { from: socket.id, signal });
    acknowledge?.({ ok: true });
  });
});
http.listen(0, '127.0.0.1', () => answerGenerator(http));
