/**
 * The classroom's network:
 *
 *   classroom-origin o0 10.80.0.2 --[uplink: tbf]-- r0 10.80.0.1 classroom-router br0 10.81.0.1 --[LAN]-- e0 10.81.0.(10+k) classroom-v<k>
 *
 * Nothing here touches the machine's own interfaces or routes. There is no propagation delay and no loss but the queue's.
 */
import {
  addNamespace,
  command,
  inNamespace,
  ip,
  ORIGIN,
  ROUTER,
  setKernel,
  teardown,
  viewerNamespace,
} from './namespaces.ts';

export const ORIGIN_ADDRESS = '10.80.0.2';

export interface NetworkOptions {
  readonly viewers: number;
  /** Mbit/s to the LAN and back; 0 = unlimited. */
  readonly uplink: number;
  readonly back: number;
  readonly queueMs: number;
  readonly nat: boolean;
}

export function setUp({ viewers, uplink, back, queueMs, nat }: NetworkOptions): void {
  teardown();
  for (const name of [ORIGIN, ROUTER]) addNamespace(name);
  ip(`link add o0 netns ${ORIGIN} type veth peer name r0 netns ${ROUTER}`);
  ip(`-n ${ORIGIN} addr add ${ORIGIN_ADDRESS}/24 dev o0`);
  ip(`-n ${ROUTER} addr add 10.80.0.1/24 dev r0`);
  // gso_max_segs 1: packets cross the uplink one by one, so tbf and the counters see what a wire would
  ip(`-n ${ORIGIN} link set o0 up gso_max_segs 1`);
  ip(`-n ${ROUTER} link set r0 up gso_max_segs 1`);
  ip(`-n ${ORIGIN} route add default via 10.80.0.1`);
  // a small send buffer keeps "handed to the operating system" close to "sent" when a request is given up
  setKernel(ORIGIN, 'net/ipv4/tcp_wmem', '4096 65536 262144');
  limit(ORIGIN, 'o0', uplink, queueMs);
  limit(ROUTER, 'r0', back, queueMs);
  setUpLan(nat);
  for (let number = 1; number <= viewers; number++) addViewer(number);
}

function setUpLan(nat: boolean): void {
  ip(`-n ${ROUTER} link add br0 type bridge mcast_snooping 0`); // no snooping: mDNS (WebRTC's .local names) must flood
  ip(`-n ${ROUTER} addr add 10.81.0.1/24 dev br0`);
  ip(`-n ${ROUTER} link set br0 up`);
  ip(`-n ${ROUTER} route add unreachable default`);
  setKernel(ROUTER, 'net/ipv4/ip_forward', 1);
  if (!nat) return;
  inNamespace(ROUTER, 'nft add table ip nat');
  inNamespace(ROUTER, 'nft add chain ip nat post { type nat hook postrouting priority 100 ; }');
  inNamespace(ROUTER, 'nft add rule ip nat post oifname r0 masquerade');
}

function addViewer(number: number): void {
  const name = viewerNamespace(number);
  addNamespace(name);
  ip(`link add e0 netns ${name} type veth peer name p${number} netns ${ROUTER}`);
  ip(`-n ${ROUTER} link set p${number} up master br0`);
  ip(`-n ${name} addr add 10.81.0.${10 + number}/24 brd + dev e0`);
  ip(`-n ${name} link set e0 up`);
  ip(`-n ${name} route add default via 10.81.0.1`);
}

/** One direction of the uplink, with a drop-tail queue of that depth. */
function limit(namespace: string, device: string, mbit: number, queueMs: number): void {
  if (mbit === 0) return;
  const burst = Math.max(16384, Math.ceil(((mbit * 1e6) / 8) * 0.008)); // tbf works in ticks: two of 4 ms
  inNamespace(namespace, `tc qdisc add dev ${device} root tbf rate ${mbit}mbit burst ${burst} latency ${queueMs}ms`);
}

/** Nothing comes from the origin any more, and nothing says so. */
export const cutUplink = (): void => void ip(`-n ${ORIGIN} link set o0 down`);

/** Bytes on the wire since `setUp`. */
export interface Counters {
  /** From the origin to the router, behind the rate limit. */
  readonly uplink: number;
  readonly back: number;
  /** What each viewer received and sent on the LAN. */
  readonly viewers: readonly { readonly received: number; readonly sent: number }[];
}

export function counters(viewers: number): Counters {
  const [origin, router] = [read(ORIGIN), read(ROUTER)];
  const of = (interfaces: Map<string, Traffic>, name: string): Traffic => interfaces.get(name) ?? { rx: 0, tx: 0 };
  return {
    uplink: of(origin, 'o0').tx,
    back: of(router, 'r0').tx,
    viewers: Array.from({ length: viewers }, (_, index) => {
      const { rx, tx } = of(router, `p${index + 1}`);
      return { received: tx, sent: rx };
    }),
  };
}

interface Traffic {
  readonly rx: number;
  readonly tx: number;
}

function read(namespace: string): Map<string, Traffic> {
  const links = JSON.parse(command('ip', '-n', namespace, '-s', '-j', 'link')) as {
    ifname: string;
    stats64: Record<'rx' | 'tx', { bytes: number }>;
  }[];
  return new Map(links.map(({ ifname, stats64: { rx, tx } }) => [ifname, { rx: rx.bytes, tx: tx.bytes }]));
}
