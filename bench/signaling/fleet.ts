/** The peers of one run: opens them, lets them join and exchange signals, and counts what comes. Used by the rows. */
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../../test/harness/until.ts';
import type { NumberedSignal, Peer } from './peer.ts';
import type { System } from './systems.ts';
import { Tally } from './tally.ts';

/** Peers of one site: a classroom. Each site has an address of its own. */
const PEERS_PER_SITE = 30;
/** Connects and joins under way at a time, and signals for each server: enough to keep the servers' core busy. */
const AT_ONCE = 64;
/** Where anybody may be sent a signal: so many places further on, a number that no usual count of peers divides by. */
const STRIDE = 7919;
/** Milliseconds after which a peer that lost its connection tries again, at most. */
const RETURN_MS = 1000;
/** Milliseconds in which signals have to come, on whatever machine: only one that is lost takes so long. */
const PATIENCE_MS = 300_000;

/** Where peers connect: one server, several nodes of one, which they take in turn, or nginx before these. */
export type Ports = readonly number[];

/** To whom signals go, with several nodes: to anybody, to peers of the same node, to those of another. */
export type Reach = 'anywhere' | 'here' | 'elsewhere';

export class Fleet {
  peers: Peer[] = [];
  tally = new Tally();
  /** Connections that ended without our doing, by reason. */
  readonly lost = new Map<string, number>();
  readonly #system: System;
  readonly #ports: Ports;
  readonly #byId = new Map<string, Peer>();
  #pings = 0;
  #opened = 0;
  #answered = 0;
  #refused = 0;
  #arrived: () => void = () => undefined;
  #lostOne: ((index: number) => void) | undefined;
  #fail: (error: Error) => void = () => undefined;
  /** Rejects when a connection ends without our doing. */
  readonly #failure = new Promise<never>((_resolve, reject) => (this.#fail = reject));

  constructor(system: System, ports: Ports) {
    this.#system = system;
    this.#ports = ports;
    this.#failure.catch(() => undefined); // nobody may be waiting
  }

  get losses(): number {
    return [...this.lost.values()].reduce((all, count) => all + count, 0);
  }

  /** Signals that the server said it could not pass on. */
  get refused(): number {
    return this.#refused;
  }

  /** Pings of the server so far. */
  get pings(): number {
    return this.#pings;
  }

  /** Begins one connection. */
  begin(): Peer {
    const index = this.#opened++;
    const peer = this.#open(index);
    this.peers.push(peer);
    return peer;
  }

  /**
   * From now on a peer that loses its connection comes back, as the kit's client does: after up to RETURN_MS, again and again until it is in.
   * @param came back, with the id that it had
   */
  letReturn(swarm: string, came: () => void): void {
    const secrets = new Map<number, string>();
    const back = async (index: number): Promise<void> => {
      await delay(Math.random() * RETURN_MS);
      const peer = this.#open(index);
      this.peers[index] = peer;
      await peer.ready;
      await peer.join(swarm, secrets.get(index));
      this.#byId.set(peer.id, peer);
      came();
    };
    this.#lostOne = (index) => {
      // one that did not get as far as joining has no secret of its own yet
      const resume = this.peers[index]?.resume ?? '';
      if (resume !== '') secrets.set(index, resume);
      void back(index);
    };
  }

  #open(index: number): Peer {
    const site = Math.floor(index / PEERS_PER_SITE);
    return this.#system.open(
      {
        host: '127.0.0.1',
        port: this.#ports[index % this.#ports.length] ?? 0,
        localAddress: `127.${1 + (site >> 14)}.${(site >> 7) & 127}.${1 + (site & 127)}`,
      },
      {
        signalled: (connection) => {
          this.tally.came(connection);
          this.#arrived();
        },
        answered: (ok) => {
          this.#answered++;
          if (!ok) this.#refused++;
        },
        pinged: () => {
          this.#pings++;
        },
        closed: (reason) => {
          if (this.#lostOne) return this.#lostOne(index);
          this.lost.set(reason, (this.lost.get(reason) ?? 0) + 1);
          this.#fail(new Error(`A connection was lost: ${reason}.`));
        },
      },
    );
  }

  /** Opens peers, AT_ONCE at a time. */
  async open(count: number): Promise<void> {
    let left = count;
    await this.#lanes(async () => {
      if (left-- <= 0) return false;
      await this.begin().ready;
      return true;
    });
  }

  /** Lets peers join, AT_ONCE at a time. */
  async join(peers: readonly Peer[], swarm: string): Promise<void> {
    let next = 0;
    await this.#lanes(async () => {
      const peer = peers[next++];
      if (peer === undefined) return false;
      await peer.join(swarm);
      this.#byId.set(peer.id, peer);
      return true;
    });
  }

  /**
   * Exchanges signals, AT_ONCE under way, from each of these peers in turn to those it was introduced to.
   * @param answer ask the server for an answer to each, and wait for all of these too
   */
  async exchange(peers: readonly Peer[], count: number, answer: boolean, reach: Reach = 'anywhere'): Promise<Tally> {
    const tally = (this.tally = new Tally());
    const pairs = this.#pairs(peers, reach);
    const answers = this.#answered + (answer && this.#system.answers ? count : 0);
    const next = (): void => {
      if (tally.count < count) this.#send(pairs, answer);
    };
    this.#arrived = next;
    for (let lane = 0; lane < AT_ONCE * this.#nodes(); lane++) next();
    const isDone = (): boolean => {
      // nobody waits for what can't come any more
      if (this.losses > 0 || this.#refused > 0) return true;
      return tally.arrived === count && this.#answered >= answers;
    };
    await until('all signals and answers have come', isDone, { timeout: PATIENCE_MS });
    if (tally.missing > 0)
      throw new Error(
        `${tally.missing} signals are missing; connections lost: ${JSON.stringify([...this.lost])}, signals refused: ${this.#refused}.`,
      );
    this.#arrived = () => undefined;
    return tally;
  }

  /** Exchanges `perSecond` signals for some time, however fast they come, then waits for the last of them. */
  async murmur(
    peers: readonly Peer[],
    perSecond: number,
    milliseconds: number,
    reach: Reach = 'anywhere',
  ): Promise<Tally> {
    const tally = (this.tally = new Tally());
    const pairs = this.#pairs(peers, reach);
    const start = performance.now();
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        const passed = performance.now() - start;
        while (tally.count < (Math.min(passed, milliseconds) * perSecond) / 1000) this.#send(pairs, true);
        if (passed < milliseconds) return;
        clearInterval(timer);
        resolve();
      }, 1);
    });
    await until('the last signals have come', () => tally.missing === 0, { timeout: 10_000 }).catch(() => undefined);
    return tally;
  }

  destroy(peers: readonly Peer[] = [...this.peers]): void {
    for (const peer of peers) {
      peer.destroy();
      this.#byId.delete(peer.id);
    }
    const gone = new Set(peers);
    this.peers = this.peers.filter((peer) => !gone.has(peer));
  }

  /** How many servers there are. */
  #nodes(): number {
    return new Set(this.peers.map(({ node }) => node)).size;
  }

  /** Each peer with one that it was introduced to, or with anybody, among these. */
  #pairs(peers: readonly Peer[], reach: Reach): Pair[] {
    const isInReach = (from: Peer, to: Peer): boolean =>
      reach === 'anywhere' || (from.node === to.node) === (reach === 'here');
    const among = new Set(peers);
    const pairs: Pair[] = [];
    peers.forEach((from, index) => {
      const known = this.#system.introduces
        ? from.introduced.flatMap((id) => this.#byId.get(id) ?? []).filter((peer) => peer !== from && among.has(peer))
        : [STRIDE, STRIDE + 1].map((stride) => peers[(index + stride) % peers.length] ?? from);
      const inReach = known.filter((to) => isInReach(from, to));
      const to = inReach[index % Math.max(1, inReach.length)];
      if (to !== undefined) pairs.push({ from, to: to.id });
    });
    return pairs;
  }

  #send(pairs: readonly Pair[], answer: boolean): void {
    const number = this.tally.sent();
    const pair = pairs[number % pairs.length];
    if (pair === undefined) throw new Error('Nobody was introduced to anybody.');
    pair.from.signal(pair.to, signalOf(number), answer);
  }

  /** Rejects where a connection is lost: what it was to say never comes. */
  async #lanes(step: () => Promise<boolean>): Promise<void> {
    const lanes = Array.from({ length: AT_ONCE }, async () => {
      while (await step());
    });
    await Promise.race([Promise.all(lanes), this.#failure]);
  }
}

interface Pair {
  readonly from: Peer;
  readonly to: string;
}

const SDP = 'a=x'.repeat(200);
const CANDIDATE =
  'candidate:842163049 1 udp 1677729535 203.0.113.77 46154 typ srflx raddr 0.0.0.0 rport 0 generation 0';

/** As Chromium's: an offer or an answer of 600 bytes, and four candidates to each. */
function signalOf(connection: number): NumberedSignal {
  if (connection % 10 === 0) return { kind: 'offer', connection, sdp: SDP };
  if (connection % 10 === 1) return { kind: 'answer', connection, sdp: SDP };
  return { kind: 'candidate', connection, candidate: CANDIDATE, mid: '0', line: 0 };
}
