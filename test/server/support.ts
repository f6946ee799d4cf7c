/** What the server's tests share: temporary folders, a running server, raw HTTP, socket.io clients, waiting for a condition. */
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { io, type Socket } from 'socket.io-client';
import { nameOf } from '../../protocol/digest.ts';
import { parseManifest, type Manifest } from '../../protocol/manifest.ts';
import type { SwarmId } from '../../protocol/ids.ts';
import { PROTOCOL_VERSION } from '../../protocol/limits.ts';
import {
  SIGNALING_PATH,
  type JoinReply,
  type Refusal,
  type RelayedSignal,
  type SwarmState,
} from '../../protocol/signaling.ts';
import { createServer, type P2PServer, type ServerOptions } from '../../server/create-server.ts';
import { createLog } from '../../server/log.ts';
import { sha256 } from '../../server/sha256.ts';

export const silent = createLog('silent');

/** A folder with these files, last written an hour ago; gone after the test. */
export async function folderOf(t: TestContext, files: Record<string, string | Uint8Array> = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'p2p-server-'));
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  await put(folder, files);
  return folder;
}

/** Writes files with an old time stamp. */
export async function put(folder: string, files: Record<string, string | Uint8Array>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
    const anHourAgo = Date.now() / 1000 - 3600;
    await utimes(path, anHourAgo, anHourAgo);
  }
}

/** Bytes that differ from place to place. */
export function bytes(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(length);
  let state = seed;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    result[i] = state >>> 24;
  }
  return result;
}

/** What a manifest lists of the media folder. */
export const mediaIn = (manifest: string): Manifest['assets'] =>
  Object.fromEntries(
    Object.entries(parseManifest(JSON.parse(manifest)).assets).filter(([path]) => path.startsWith('/media/')),
  );

export const nameOfBytes = (body: Uint8Array<ArrayBuffer>) => nameOf(body, sha256);

export const nameOfText = (text: string) => nameOf(new TextEncoder().encode(text), sha256);

/** A VOD playlist of segments `s0.ts`, `s1.ts`, … of 4 s. */
export const vod = (count: number, tags: (index: number) => string = () => ''): string =>
  `#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n${Array.from({ length: count }, (_, index) => `${tags(index)}#EXTINF:4.0,\ns${index}.ts\n`).join('')}#EXT-X-ENDLIST\n`;

export interface Running {
  readonly server: P2PServer;
  readonly url: string;
}

/** A server on a free port of 127.0.0.1, closed after the test. */
export async function run(t: TestContext, options: ServerOptions = {}): Promise<Running> {
  const media = options.media ?? (await folderOf(t));
  const server = createServer({ port: 0, host: '127.0.0.1', log: silent, ...options, media });
  await server.listen();
  t.after(() => server.close());
  return { server, url: server.urls.local ?? '' };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
}

/** One request as it is written: no normalised path, no headers of its own. */
export function ask(url: string, path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const request = httpRequest({ hostname, port, path, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const body = Buffer.concat(chunks);
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body, text: body.toString() });
      });
    });
    request.on('error', reject);
    request.end();
  });
}

/** The value of one series of `/metrics`, as `name{a="b"}`; undefined: it is not there. */
export async function metric(url: string, series: string): Promise<number | undefined> {
  const { text } = await ask(url, '/metrics');
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length));
}

/** Waits until the condition gives something other than undefined or false. */
export async function until<T>(what: string, condition: () => T | Promise<T>, milliseconds = 10_000) {
  const end = Date.now() + milliseconds;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value as Exclude<T, undefined | false>;
    if (Date.now() > end) throw new Error(`Waited ${milliseconds} ms in vain until ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export type Reply = { readonly ok: boolean } & Partial<Omit<JoinReply, 'ok'> & Omit<Refusal, 'ok'>>;

/** A client of the signaling server that notes what it is told. */
export interface Client {
  readonly socket: Socket;
  readonly signals: RelayedSignal[];
  readonly states: SwarmState[];
  readonly ask: (event: string, message: unknown) => Promise<Reply>;
}

/** @param address where the client seems to come from, for a server made with `addressOf: testAddress` */
export async function connect(t: TestContext, url: string, address = '127.0.0.1', options = {}): Promise<Client> {
  const socket = io(url, {
    path: SIGNALING_PATH,
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
    extraHeaders: { 'x-test-address': address },
    ...options,
  });
  t.after(() => socket.disconnect());
  const signals: RelayedSignal[] = [];
  const states: SwarmState[] = [];
  socket.on('signal', (message: RelayedSignal) => signals.push(message));
  socket.on('swarm', (state: SwarmState) => states.push(state));
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });
  return {
    socket,
    signals,
    states,
    ask: (event, message) => socket.timeout(5000).emitWithAck(event, message) as Promise<Reply>,
  };
}

export const testAddress: NonNullable<ServerOptions['addressOf']> = (request) =>
  String(request.headers['x-test-address'] ?? '127.0.0.1');

/** Joins and expects a yes. */
export async function joinSwarms(client: Client, swarms: string[], resume?: string): Promise<JoinReply> {
  const reply = await client.ask('join', {
    version: PROTOCOL_VERSION,
    swarms,
    ...(resume !== undefined && { resume }),
  });
  if (!reply.ok) throw new Error(`refused: ${reply.message}`);
  return reply as JoinReply;
}

export const swarmId = (name: string): SwarmId => name as SwarmId;
