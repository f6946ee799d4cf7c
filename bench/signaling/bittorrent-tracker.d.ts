/** bittorrent-tracker has no types of its own; this is the part we use. */
declare module 'bittorrent-tracker' {
  import type { EventEmitter } from 'node:events';
  import type { Server as HttpServer } from 'node:http';

  export class Server extends EventEmitter {
    constructor(options: {
      readonly udp: boolean;
      readonly http: boolean;
      readonly ws: boolean;
      readonly stats: boolean;
      /** Peers of one swarm that it remembers. */
      readonly peersCacheLength: number;
    });
    readonly http: HttpServer | null;
    listen(port: number, host: string, listening: () => void): void;
  }
}
