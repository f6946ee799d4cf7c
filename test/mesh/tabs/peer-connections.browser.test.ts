import { expect } from 'chai';
import { PeerConnections } from '../../../mesh/tabs/peer-connections.ts';
import type { PeerId } from '../../../protocol/ids.ts';
import type { FromPage } from '../../../protocol/page.ts';

const A = 'a'.repeat(32) as PeerId;
const B = 'b'.repeat(32) as PeerId;
const CONNECTION = 7;

type Told = { readonly message: FromPage; readonly channel: RTCDataChannel | null };

/** Two pages in one: what one says to its engine as a signal goes to the other. */
function pair(relayOnly = false): {
  a: PeerConnections;
  b: PeerConnections;
  told: (who: 'a' | 'b') => readonly Told[];
} {
  const notes: Record<'a' | 'b', Told[]> = { a: [], b: [] };
  const sides: Partial<Record<'a' | 'b', PeerConnections>> = {};
  const side = (me: 'a' | 'b', other: 'a' | 'b', id: PeerId): PeerConnections =>
    new PeerConnections((message) => {
      notes[me].push({ message, channel: message.type === 'channel' ? message.channel : null });
      if (message.type === 'signal') void sides[other]!.remoteSignal(id, message.signal, []);
    }, relayOnly);
  const a = (sides.a = side('a', 'b', A));
  const b = (sides.b = side('b', 'a', B));
  return { a, b, told: (who) => notes[who] };
}

async function until<T>(look: () => T | undefined | false | null): Promise<T> {
  for (const end = performance.now() + 10_000; performance.now() < end;) {
    const found = look();
    if (found) return found;
    await new Promise((resolve) => requestAnimationFrame(resolve));
  }
  throw new Error('It did not come true within 10 s.');
}

const channelOf = (told: readonly Told[]): RTCDataChannel | undefined =>
  told.flatMap(({ channel }) => channel ?? [])[0];

describe('PeerConnections', () => {
  it('connects two pages and hands both ends of the channel over', async () => {
    const { a, b, told } = pair();
    await a.dial(CONNECTION, B, []);
    const [near, far] = [await until(() => channelOf(told('a'))), await until(() => channelOf(told('b')))];
    await until(() => near.readyState === 'open' && far.readyState === 'open');
    const heard = new Promise((resolve) => (far.onmessage = ({ data }: MessageEvent<unknown>) => resolve(data)));
    near.send('hello');
    expect(await heard).to.equal('hello');
    a.close();
    b.close();
  });

  it('hands the channel over in the task that made it, for later it can not be transferred', () => {
    const { a, told } = pair();
    void a.dial(CONNECTION, B, []);
    expect(channelOf(told('a'))?.readyState).to.equal('connecting');
    a.close();
  });

  it('tells no candidate of its own where it is to be reached through TURN servers alone', async () => {
    for (const relayOnly of [false, true]) {
      const { a, b, told } = pair(relayOnly);
      const gathered = new Promise<void>((resolve) => {
        const { prototype } = RTCPeerConnection;
        const original = prototype.setLocalDescription;
        prototype.setLocalDescription = async function (this: RTCPeerConnection) {
          prototype.setLocalDescription = original;
          this.addEventListener('icegatheringstatechange', () => this.iceGatheringState === 'complete' && resolve());
          await this.setLocalDescription();
        };
      });
      await a.dial(CONNECTION, B, []);
      await gathered;
      const signals = told('a').flatMap(({ message }) => (message.type === 'signal' ? [JSON.stringify(message)] : []));
      expect(signals.some((signal) => /typ (host|srflx)/.test(signal))).to.equal(!relayOnly);
      a.close();
      b.close();
    }
  });

  it('says what the other end takes as a message, once connected', async () => {
    const { a, b, told } = pair();
    await a.dial(CONNECTION, B, []);
    const { message } = await until(() => told('a').find((each) => each.message.type === 'connection'));
    expect(message).to.include({ type: 'connection', connection: CONNECTION, state: 'connected' });
    expect((message as { maxMessageSize: number }).maxMessageSize).to.be.at.least(16_384);
    a.close();
    b.close();
  });

  it('ends a connection whose handshake makes no sense, and says so', async () => {
    const { b, told } = pair();
    await b.remoteSignal(A, { kind: 'offer', connection: CONNECTION, sdp: 'not SDP' }, []);
    expect(told('b').map(({ message }) => message)).to.deep.equal([
      { type: 'connection', connection: CONNECTION, state: 'closed' },
    ]);
  });

  it('goes on without a candidate that the browser can not use', async () => {
    const { a, b, told } = pair();
    await a.dial(CONNECTION, B, []);
    await until(() => told('a').some(({ message }) => message.type === 'signal' && message.signal.kind === 'offer'));
    const junk = { kind: 'candidate', connection: CONNECTION, candidate: 'junk', mid: 'none', line: 99 } as const;
    await b.remoteSignal(A, junk, []);
    await until(() => told('b').some(({ message }) => message.type === 'signal' && message.signal.kind === 'answer'));
    await b.remoteSignal(A, junk, []);
    const { message } = await until(() => told('b').find((each) => each.message.type === 'connection'));
    expect(message).to.include({ state: 'connected' });
    a.close();
    b.close();
  });

  it('ignores answers and candidates of connections that it does not have', async () => {
    const { b, told } = pair();
    await b.remoteSignal(A, { kind: 'answer', connection: CONNECTION, sdp: 'not SDP' }, []);
    await b.remoteSignal(A, { kind: 'candidate', connection: CONNECTION, candidate: 'x', mid: '0', line: 0 }, []);
    expect(told('b')).to.deep.equal([]);
  });

  it('says nothing more of a connection that was hung up', async () => {
    const { a, b, told } = pair();
    void a.dial(CONNECTION, B, []);
    a.hangUp(CONNECTION);
    await a.dial(CONNECTION + 1, B, []); // By its time the first would have spoken.
    await until(() => told('a').find(({ message }) => message.type === 'connection'));
    const signals = told('a').flatMap(({ message }) => (message.type === 'signal' ? message.signal.connection : []));
    expect(new Set(signals)).to.deep.equal(new Set([CONNECTION + 1]));
    a.close();
    b.close();
  });
});
