/**
 * This server among others, by way of Redis: the shared directory, signs of life, and signals to peers that another server has. A signal goes
 * to the channel of the server that has the peer, so the others do not hear of it. Owned by who made it; see docs/decisions/0023.
 */
import { randomBytes } from 'node:crypto';
import createDebug from 'debug';
import { toHex } from '../../protocol/hex.ts';
import { ID_BYTES } from '../../protocol/limits.ts';
import type { PeerId, SwarmId } from '../../protocol/ids.ts';
import {
  MAX_BATCH_CHARACTERS,
  MAX_FOREIGN_PEERS,
  NODE_BEAT_MS,
  SWARM_NEWS_INTERVAL_MS,
  SWEEP_PEERS,
} from '../limits.ts';
import { memoryLimiter, type Limiter } from '../admission/connect-limiter.ts';
import type { Logger } from '../log.ts';
import { Lru } from '../lru.ts';
import type { ForeignSignal, OtherNodes, OtherNodesListener } from '../signaling/other-nodes.ts';
import { nobodyText, parseInbox, SEPARATOR, signalText, type InboxMessage } from './inbox.ts';
import { inboxOf, KEY_PREFIX, newsOf } from './keys.ts';
import { RedisDirectory } from './redis-directory.ts';
import { RedisLink } from './redis-link.ts';
import { RedisSubjects } from './redis-subjects.ts';
import { parseBeat } from './replies.ts';
import { BEAT, HELD, NODE_OF, PART, SWEEP } from './scripts.ts';

const debug = createDebug('p2p:server:redis');

export interface RedisNodesOptions {
  /** `redis://[user:password@]host[:port][/database]`, or `rediss://` for TLS. */
  readonly url: string;
  readonly log?: Logger | undefined;
  /** Milliseconds. Default: Redis's own clock, which all servers share. */
  readonly now?: (() => number) | undefined;
  /** Told of each command to Redis: how long it took, and whether it was answered. */
  readonly answered?: ((milliseconds: number, isAnswered: boolean) => void) | undefined;
}

const ignore = (): void => undefined;

interface Outbox {
  readonly texts: string[];
  /** Of all of them. */
  characters: number;
  readonly sent: Promise<number>;
}

export class RedisNodes implements OtherNodes {
  readonly directory: RedisDirectory;
  /** Peers of each token's subject, at all servers: for AdmissionOptions. */
  readonly subjects: RedisSubjects;
  /** This server among the others: new with each start. */
  readonly #id = toHex(randomBytes(ID_BYTES));
  readonly #link: RedisLink;
  readonly #log: Logger | undefined;
  readonly #now: (() => number) | undefined;
  /** Servers of peers that are not ours, as we heard last. */
  readonly #nodeOf = new Lru<PeerId, string>(MAX_FOREIGN_PEERS);
  /** What is about to be sent to each server. */
  readonly #outboxes = new Map<string, Outbox>();
  /** What was said to each server and Redis has yet to confirm. */
  readonly #underWay = new Map<string, Promise<void>>();
  /** Swarms that somebody here is in, and those whose changes we hear of. */
  readonly #watched = new Set<SwarmId>();
  readonly #followed = new Map<SwarmId, () => void>();
  /** Resolves when Redis has said that it passes on what others send to us. */
  #inbox: Promise<void> | undefined;
  readonly #sweeping = new Set<string>();
  #listener: OtherNodesListener | undefined;
  #timer: NodeJS.Timeout | undefined;
  #healing = false;
  #closed = false;

  /** @throws P2PError `bad-flag` if the URL is none of a Redis server */
  constructor({ url, log, now, answered }: RedisNodesOptions) {
    this.#link = new RedisLink(url, log, () => void this.#beat());
    if (answered) this.#link.answered = answered;
    this.#log = log;
    this.#now = now;
    this.directory = new RedisDirectory({
      now,
      run: (script, ...args) => this.#run(script, ...args),
      lost: (error) => this.#lost(error),
      taken: (peer) => this.#listener?.gone(peer),
      located: (nodes) => this.#located(nodes),
      watch: (swarm) => this.#watch(swarm),
    });
    this.subjects = new RedisSubjects({
      run: (script, ...args) => this.#run(script, ...args),
      lost: (error) => this.#lost(error),
      isThere: () => this.directory.redis !== 'away',
    });
    this.#inBackground(this.#openInbox());
  }

  get isReady(): boolean {
    return this.directory.redis === 'there';
  }

  /** New connections of each address, at all servers: for AdmissionOptions. @param perSecond on average; the same at each server */
  connects(perSecond: number): Limiter {
    const [shared, alone] = [this.#link.limiter(perSecond), memoryLimiter(perSecond)];
    return { take: (address) => (this.isReady ? shared : alone).take(address) };
  }

  listen(listener: OtherNodesListener): void {
    this.#listener = listener;
  }

  async signal(message: ForeignSignal): Promise<boolean> {
    if (this.directory.redis === 'away') return false;
    try {
      return await this.#pass(message, 0);
    } catch (error) {
      this.#lost(error);
      return false;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    if (this.directory.redis !== 'away')
      await this.#run(PART).catch((error: unknown) => debug('not parted: %o', error));
    this.directory.redis = 'away';
    this.#link.close();
  }

  /** To the server that we know of, else to the one that the directory names. */
  async #pass(message: ForeignSignal, hops: number, sender = this.#id): Promise<boolean> {
    const text = signalText(sender, hops, message);
    const known = this.#nodeOf.get(message.to);
    if (known !== undefined && (await this.#send(known, text)) > 0) return true;
    const node = String(await this.#run(NODE_OF, message.to));
    if (node === '' || node === this.#id) return false;
    this.#nodeOf.set(message.to, node);
    return node !== known && (await this.#send(node, text)) > 0;
  }

  /**
   * What is said to a server in one turn of the event loop, and while what was said before is on its way to Redis, goes as one message: under load that
   * is most of it. @returns how many servers took it
   */
  #send(node: string, text: string): Promise<number> {
    const outbox = this.#outboxes.get(node);
    if (outbox !== undefined && outbox.characters < MAX_BATCH_CHARACTERS) {
      outbox.texts.push(text);
      outbox.characters += text.length;
      return outbox.sent;
    }
    const before = outbox?.sent.then(ignore, ignore) ?? this.#underWay.get(node);
    const texts = [text];
    const sent = (before ?? new Promise((resolve) => setImmediate(resolve))).then(() => {
      if (this.#outboxes.get(node)?.texts === texts) this.#outboxes.delete(node);
      const answer = this.#link.publish(inboxOf(node), texts.join(SEPARATOR));
      const settled = answer
        .catch(() => undefined)
        .then(() => {
          if (this.#underWay.get(node) === settled) this.#underWay.delete(node);
        });
      this.#underWay.set(node, settled);
      return answer;
    });
    this.#outboxes.set(node, { texts, characters: text.length, sent });
    return sent;
  }

  /** Asked for anew where the connection broke before Redis confirmed it. */
  #openInbox(): Promise<void> {
    this.#inbox ??= this.#link
      .subscribe(inboxOf(this.#id), (texts) => {
        for (const text of texts.split(SEPARATOR)) this.#received(text);
      })
      .catch((error: unknown) => {
        this.#inbox = undefined;
        throw error;
      });
    return this.#inbox;
  }

  #received(untrusted: string): void {
    const received = parseInbox(untrusted);
    switch (received?.kind) {
      case undefined:
        debug('not a message of ours');
        return;
      case 'gone':
        if (this.directory.gone(received.peer, received.turn)) this.#listener?.gone(received.peer);
        return;
      case 'nobody':
        // so that the sender's next signal, which follows in a moment, tells it
        this.#nodeOf.delete(received.peer);
        return;
      case 'signal':
        this.#inBackground(this.#deliver(received));
        return;
      default:
        received satisfies never;
    }
  }

  async #deliver({ message, node, hops }: InboxMessage & { readonly kind: 'signal' }): Promise<void> {
    if (hops === 0) this.#nodeOf.set(message.from, node);
    if (this.#listener?.signal(message) === true) return;
    this.#nodeOf.delete(message.to);
    // it may have gone to another server a moment ago
    if (hops > 0 || !(await this.#pass(message, 1, node))) await this.#send(node, nobodyText(message.to));
  }

  #located(nodes: ReadonlyMap<PeerId, string>): void {
    for (const [peer, node] of nodes) if (node !== '' && node !== this.#id) this.#nodeOf.set(peer, node);
  }

  #watch(swarm: SwarmId): () => void {
    this.#watched.add(swarm);
    this.#follow(swarm);
    return () => {
      this.#watched.delete(swarm);
      this.#follow(swarm);
    };
  }

  /** Hears of a swarm's changes where somebody here is in it. Without Redis nothing is asked for: it would wait until it is there again, and so would what ends it. */
  #follow(swarm: SwarmId): void {
    if (this.directory.redis === 'away') return;
    const heard = this.#followed.get(swarm);
    if (this.#watched.has(swarm) === (heard !== undefined)) return;
    if (heard !== undefined) {
      this.#followed.delete(swarm);
      this.#inBackground(this.#link.unsubscribe(newsOf(swarm), heard));
      return;
    }
    const changed = (): void => {
      this.#listener?.changed(swarm);
      // others are quiet for so long, and what changes meanwhile is to be seen, too
      setTimeout(() => this.#listener?.changed(swarm), SWARM_NEWS_INTERVAL_MS).unref();
    };
    this.#followed.set(swarm, changed);
    const failed = (error: unknown): never => {
      // it is asked for again when all is told anew
      if (this.#followed.get(swarm) === changed) this.#followed.delete(swarm);
      throw error;
    };
    this.#inBackground(this.#link.subscribe(newsOf(swarm), changed).then(changed, failed));
  }

  /** Says that we live, and looks who does not; then again and again, also while Redis is away. */
  async #beat(): Promise<void> {
    clearTimeout(this.#timer);
    try {
      const { known, dead } = parseBeat(await this.#run(BEAT));
      if (this.#closed) return;
      if (!known || !this.isReady) this.#inBackground(this.#heal());
      // beside the signs of life: one that is slow must not make us look dead
      for (const node of dead) this.#inBackground(this.#sweep(node));
    } catch (error) {
      this.#lost(error);
    }
    clearTimeout(this.#timer); // it may have come back meanwhile
    if (!this.#closed) this.#timer = setTimeout(() => void this.#beat(), NODE_BEAT_MS);
  }

  /** Redis is there (again), or has forgotten us: it is told all that we know. */
  async #heal(): Promise<void> {
    if (this.#healing) return;
    this.#healing = true;
    try {
      this.directory.redis = 'healing';
      await this.#openInbox();
      for (const swarm of new Set([...this.#watched, ...this.#followed.keys()])) this.#follow(swarm);
      const held = (await this.#run(HELD)) as readonly PeerId[];
      await this.directory.heal(held);
      await this.subjects.heal();
      if (!this.directory.healed()) return;
      this.#log?.info('the directory is shared with the other servers');
      for (const swarm of this.directory.swarms) this.#listener?.changed(swarm);
    } finally {
      this.#healing = false;
    }
  }

  async #sweep(node: string): Promise<void> {
    if (this.#sweeping.has(node)) return;
    this.#sweeping.add(node);
    try {
      while (!this.#closed && Number(await this.#run(SWEEP, node, String(SWEEP_PEERS))) > 0) continue;
      this.#log?.warn({ node }, 'a server has died; its peers left the directory');
    } finally {
      this.#sweeping.delete(node);
    }
  }

  #lost(error: unknown): void {
    if (this.directory.redis === 'away') return;
    this.directory.redis = 'away';
    if (!this.#closed)
      this.#log?.error(
        { err: error },
        'Redis does not answer: peers are introduced only to those of this server meanwhile',
      );
  }

  #run(script: string, ...args: readonly string[]): Promise<unknown> {
    const now = this.#now === undefined ? '' : String(Math.round(1000 * this.#now()));
    return this.#link.run(script, [KEY_PREFIX, this.#id, now, ...args]);
  }

  #inBackground(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.#closed || this.#lost(error));
  }
}
