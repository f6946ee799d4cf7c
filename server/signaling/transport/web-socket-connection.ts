/**
 * An Engine.IO 4 connection that is a WebSocket from its first packet on, as nearly all are: what socket.io needs of engine.io's Socket and its
 * transport, in one object without timers, queues and closures of its own. Made by the SignalingEngine, used by socket.io's Client.
 */
import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { WebSocket, type RawData } from 'ws';
import { MAX_GATHERED_BYTES, MAX_UNSENT_BYTES } from '../../limits.ts';
import type { Heartbeat, Pulse } from './heartbeat.ts';
import type { Outbox, Sender } from './outbox.ts';
import { textFrame } from './text-frame.ts';

/** Of Engine.IO 4. */
const OPEN = '0';
const PING = '2';
const PONG = '3';
const MESSAGE = '4';

const PING_FRAME = textFrame(PING);

/** Codes of ws's errors: too many bytes, or fragments. */
const TOO_LONG_FOR_WS = /^WS_ERR_(UNSUPPORTED_(MESSAGE|DATA_PAYLOAD)_LENGTH|TOO_MANY_BUFFERED_PARTS)$/;

/** socket.io asks for no more of it. */
const TRANSPORT = { name: 'websocket', writable: true } as const;

/** Why a connection ended that did not read what it was sent, sent more in one message than may be, or answered no ping. */
export const TOO_SLOW = 'too slow';
export const TOO_LONG = 'too long';
export const SILENT = 'ping timeout';
/** It sent what is no WebSocket frame, or no packet. */
export const NO_PACKET = 'parse error';

/** ws makes its sockets of this class, so that one listener serves all: each knows its connection. */
export class EngineWebSocket extends WebSocket {
  connection: WebSocketConnection | undefined;
}

export interface ConnectionOptions {
  readonly id: string;
  readonly request: IncomingMessage;
  readonly socket: Socket;
  readonly webSocket: EngineWebSocket;
  readonly heartbeat: Heartbeat;
  readonly outbox: Outbox;
  /** Called when it is over. */
  readonly ended: (connection: WebSocketConnection) => void;
}

export class WebSocketConnection extends EventEmitter implements Pulse, Sender {
  readonly id: string;
  readonly protocol = 4;
  readonly transport = TRANSPORT;
  /** For engine.io: another transport can't take over. */
  readonly upgraded = true;
  readonly remoteAddress: string;
  readyState: 'open' | 'closed' = 'open';
  /** Of the handshake, until forgetRequest(). */
  request: IncomingMessage | undefined;
  readonly #socket: Socket;
  /** For whoever watches it; its messages and its end come from here. */
  readonly webSocket: EngineWebSocket;
  readonly #heartbeat: Heartbeat;
  readonly #outbox: Outbox;
  readonly #ended: (connection: WebSocketConnection) => void;
  /** Frames that go out when the outbox is emptied: bytes, a character each. */
  #waiting = '';
  /** A ping has gone out, and nothing came since. */
  #isSilent = false;
  /** Why ws closes it. */
  #fault: string | undefined;

  constructor({ id, request, socket, webSocket, heartbeat, outbox, ended }: ConnectionOptions) {
    super();
    this.id = id;
    this.request = request;
    this.remoteAddress = socket.remoteAddress ?? '';
    this.#socket = socket;
    this.webSocket = webSocket;
    this.#heartbeat = heartbeat;
    this.#outbox = outbox;
    this.#ended = ended;
    webSocket.connection = this;
    webSocket.on('message', onMessage);
    webSocket.on('close', onClose);
    webSocket.on('error', onError);
    heartbeat.add(this);
  }

  /** Bytes that wait until the client takes them. What waits for the end of the turn is no fault of it. */
  get unsentBytes(): number {
    return this.#socket.writableLength;
  }

  /** @param handshake what the client is told of this server, JSON */
  open(handshake: string): void {
    this.#send(OPEN + handshake);
  }

  /** Sends a packet of socket.io. */
  write(packet: string): void {
    this.#send(MESSAGE + packet);
  }

  /** engine.io keeps it for good, 2 KB and more with its headers. */
  forgetRequest(): void {
    this.request = undefined;
  }

  beat(): void {
    if (this.#isSilent) {
      // who answers no ping answers no closing handshake
      this.webSocket.terminate();
      this.#end(SILENT);
      return;
    }
    this.#isSilent = true;
    this.#put(PING_FRAME);
  }

  close(): void {
    if (this.readyState !== 'open') return;
    this.send();
    this.webSocket.close();
    this.#end('forced close');
  }

  received(data: RawData, isBinary: boolean): void {
    if (this.readyState !== 'open') return;
    this.#isSilent = false;
    this.emit('packet');
    if (isBinary) {
      this.emit('data', data);
      return;
    }
    const text = Buffer.isBuffer(data) ? data.toString() : '';
    if (text.startsWith(MESSAGE)) this.emit('data', text.slice(1));
    else if (text !== PONG) {
      this.webSocket.close();
      this.#end(NO_PACKET);
    }
  }

  /** The WebSocket is closed, by whomever. */
  closed(): void {
    this.#end(this.#fault ?? 'transport close');
  }

  /** ws could not read what came; `closed` follows. */
  failed({ code = '' }: NodeJS.ErrnoException): void {
    this.#fault = TOO_LONG_FOR_WS.test(code) ? TOO_LONG : NO_PACKET;
  }

  #send(text: string): void {
    this.#put(textFrame(text));
  }

  #put(frame: string): void {
    if (this.readyState !== 'open') return;
    if (this.#waiting === '') this.#outbox.add(this);
    this.#waiting += frame;
    if (this.#waiting.length > MAX_GATHERED_BYTES) this.send();
  }

  /** Straight to the TCP socket: nothing is compressed, so nothing can be on its way inside ws. */
  send(): void {
    const frames = this.#waiting;
    this.#waiting = '';
    if (frames === '' || this.readyState !== 'open' || !this.#socket.writable) return;
    this.#socket.write(frames, 'latin1');
    if (this.unsentBytes <= MAX_UNSENT_BYTES) return;
    this.webSocket.terminate();
    this.#end(TOO_SLOW);
  }

  #end(reason: string): void {
    if (this.readyState === 'closed') return;
    this.readyState = 'closed';
    this.request = undefined;
    this.#heartbeat.delete(this);
    this.#ended(this);
    this.emit('close', reason);
  }
}

function onMessage(this: WebSocket, data: RawData, isBinary: boolean): void {
  if (this instanceof EngineWebSocket) this.connection?.received(data, isBinary);
}

function onClose(this: WebSocket): void {
  if (this instanceof EngineWebSocket) this.connection?.closed();
}

function onError(this: WebSocket, error: NodeJS.ErrnoException): void {
  if (this instanceof EngineWebSocket) this.connection?.failed(error);
}
