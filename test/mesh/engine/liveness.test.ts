/** Whatever the one does whom others wait for, they have the asset in a time that can be told beforehand. */
import assert from 'node:assert/strict';
import test from 'node:test';
import {
  BUSY_PATIENCE_MS,
  BUSY_PAUSE_MS,
  CLAIM_PATIENCE_MS,
  FIRST_BYTE_MS,
  FOLLOW_SILENCE_MAX_MS,
  HEAR_MS,
  HOP_PATIENCE_MS,
  MAX_HOPS,
  MAX_TIMER_MS,
  MIN_TIMER_MS,
  QUEUED_PATIENCE_MS,
  SILENCE_MS,
  SILENCE_TICK_MS,
  SLOW_BLOCK_MS,
  SLOW_CROSSING_BLOCKS,
  SUCCESSION_STEP_MS,
} from '../../../mesh/core/limits.ts';
import { BLOCK_BYTES, FRAME_HEADER_BYTES } from '../../../protocol/limits.ts';
import { Pipe } from '../world/pipe.ts';
import type { RawPeerOptions } from '../world/raw-peer.ts';
import type { TestAsset } from '../world/test-asset.ts';
import { gotOf, type Asking } from '../world/world-peer.ts';
import { Classroom, fetching, liar, queued, serve, type Announcement } from './classroom.ts';
import { fragmentsOf } from '../../protocol/fragments.ts';

/** To the server and back, a few hops over the LAN, and a tick of the watch. */
const SLACK_MS = 40 + 60 + SILENCE_TICK_MS;
/** How long a site may take to settle who is next, where nobody of the line moves: server or keeper, then a timer. */
const TURN_MS = HEAR_MS + 2 * SUCCESSION_STEP_MS + MIN_TIMER_MS;

function assertWithin(askings: readonly Asking[], { body }: TestAsset, most: number): void {
  for (const asking of askings) {
    const got = gotOf(asking);
    assert.deepEqual(got.body, body);
    assert.ok(got.took <= most + SLACK_MS, `${got.took} ms, bound ${most} ms`);
  }
}

for (const claims of [true, false]) {
  const how = claims ? 'the server says who crosses' : 'the keeper crosses';

  test(`a keeper that is gone before it asks costs no more than a turn (${how})`, async () => {
    const { room, peers, lesson } = await Classroom.seated(6, { claims });
    peers[0]!.die();
    const askings = await room.ask(peers.slice(1), lesson);
    await room.answered(askings);
    assert.deepEqual(room.crossed(lesson), ['P1']);
    assertWithin(askings, lesson, room.alone(lesson) + HEAR_MS);
  });

  test(`a crosser that dies midway is missed after a silence, and the next brings only the rest (${how})`, async () => {
    const { room, peers, lesson } = await Classroom.seated(6, { claims });
    const askings = await room.ask(peers, lesson);
    await room.world.clock.advance(500);
    peers[0]!.die();
    await room.answered(askings.slice(1));
    assert.equal(room.crossed(lesson).length, 2);
    assert.ok(room.copies(lesson) <= 1.1, `${room.copies(lesson)}`);
    assertWithin(askings.slice(1), lesson, room.alone(lesson) + SILENCE_MS + HOP_PATIENCE_MS + TURN_MS);
  });

  test(`a frozen tab, whose channel is open and says nothing, costs no more than a turn (${how})`, async () => {
    const { room, peers, lesson } = await Classroom.seated(6, { claims });
    room.world.network.takes = (from) => from !== 'P0';
    const askings = await room.ask(peers.slice(1), lesson);
    await room.answered(askings);
    assert.equal(room.crossed(lesson).length, 1);
    assertWithin(askings, lesson, room.alone(lesson) + HEAR_MS);
  });

  test(`a crosser whose tab freezes midway is missed like a dead one (${how})`, async () => {
    const { room, peers, lesson } = await Classroom.seated(6, { claims });
    const askings = await room.ask(peers, lesson);
    await room.world.clock.advance(500);
    room.world.network.takes = (from) => from !== 'P0';
    await room.answered(askings.slice(1));
    assertWithin(askings.slice(1), lesson, 2 * room.alone(lesson) + SILENCE_MS + HOP_PATIENCE_MS + TURN_MS);
  });

  test(`a crosser that the origin keeps waiting loses its followers, and then has the asset from one of them (${how})`, async () => {
    const { room, peers, lesson } = await Classroom.seated(6, { claims });
    room.hang('P0', lesson);
    const askings = await room.ask(peers, lesson);
    await room.answered(askings);
    assert.deepEqual(room.hung, ['P0']);
    assert.equal(room.crossed(lesson).length, 1);
    assertWithin(askings, lesson, FIRST_BYTE_MS + TURN_MS + room.alone(lesson) + 200);
  });

  test(`a crosser on a hopeless line is relieved, and has the rest from who relieved it (${how})`, async () => {
    const { room, peers, lesson } = await Classroom.seated(6, { claims });
    const slow = new Pipe(room.world.clock, 30);
    const { route } = room.world.origin;
    room.world.origin.route = (to) => (to === 'P0' ? { ...route(to), pipes: [slow] } : route(to));
    const askings = await room.ask(peers, lesson, { deadline: 5000 });
    await room.answered(askings);
    assert.ok(room.copies(lesson) <= 1.2, `${room.copies(lesson)}`);
    assertWithin(askings, lesson, FIRST_BYTE_MS + TURN_MS + room.alone(lesson) + 200);
  });

  test(`a crosser that gives a block now and then is relieved once that shows (${how})`, async () => {
    const bound = (1 + SLOW_CROSSING_BLOCKS) * FOLLOW_SILENCE_MAX_MS + TURN_MS;
    await withLiar(claims, bound, (asset, room) => ({
      says: [fetching(asset.name.digest)],
      answer: serve(asset, (line, _, blocks) =>
        blocks.forEach((block, i) => room.world.clock.after(1900 * (i + 1), () => line.send(block))),
      ),
    }));
  });

  test(`a crosser that seeks away while others follow goes on for them (${how})`, async () => {
    const { room, peers, lesson } = await Classroom.seated(6, { claims });
    const askings = await room.ask(peers, lesson);
    await room.world.clock.advance(500);
    askings[0]!.abort();
    await room.answered(askings.slice(1));
    assert.deepEqual(room.crossed(lesson), ['P0']);
    assertWithin(askings.slice(1), lesson, room.alone(lesson));
  });

  test(`one that claimed an asset and seeks away before it crosses is not waited for longer than its word counts (${how})`, async () => {
    const { room, peers, lesson } = await Classroom.seated(6, { claims });
    const [first, ...rest] = await room.ask(peers, lesson);
    first!.abort();
    await room.answered(rest);
    assert.equal(room.crossed(lesson).length, 1);
    assertWithin(rest, lesson, CLAIM_PATIENCE_MS + TURN_MS + room.alone(lesson));
  });

  test(`one who says FETCHING and gives nothing costs the wait for a first byte (${how})`, async () => {
    await withLiar(claims, FIRST_BYTE_MS + TURN_MS, (asset) => ({ says: [fetching(asset.name.digest)] }));
  });

  test(`one who says that it is many hops from who crosses is waited for no longer than the longest chain (${how})`, async () => {
    for (const hops of [MAX_HOPS - 1, MAX_HOPS, 200, 255])
      await withLiar(claims, FIRST_BYTE_MS + MAX_HOPS * HOP_PATIENCE_MS + TURN_MS, (asset) => ({
        says: [fetching(asset.name.digest, hops)],
      }));
  });

  test(`many who say FETCHING and give nothing cost twice what one costs, and a silence each (${how})`, async () => {
    const count = 6;
    await withLiar(claims, 2 * FIRST_BYTE_MS + (count - 2) * (SILENCE_MS + SILENCE_TICK_MS) + TURN_MS, (asset) =>
      Array.from({ length: count }, () => ({ says: [fetching(asset.name.digest)] })),
    );
  });

  for (const says of ['HAVE', 'FETCHING'])
    test(`one who says ${says} and gives single bytes is left (${how})`, async () => {
      await withLiar(claims, FIRST_BYTE_MS + SLOW_BLOCK_MS + TURN_MS, (asset, room) => ({
        ...(says === 'HAVE' ? { claims: [asset.name.digest] } : { says: [fetching(asset.name.digest)] }),
        answer: ({ request }, line) => {
          let offset = 0;
          const drip = (): void => {
            const [part] = fragmentsOf({ type: 6, request, payload: new Uint8Array(50_004) }, FRAME_HEADER_BYTES + 1);
            new DataView(part!.buffer).setUint32(12, offset++);
            line.sendBytes(part!);
            room.world.clock.after(400, drip);
          };
          drip();
        },
      }));
    });

  for (const says of ['HAVE', 'FETCHING'])
    test(`one who says ${says} and gives blocks that nobody asked for is left (${how})`, async () => {
      await withLiar(claims, FIRST_BYTE_MS + SLOW_BLOCK_MS + TURN_MS, (asset, room) => ({
        ...(says === 'HAVE' ? { claims: [asset.name.digest] } : { says: [fetching(asset.name.digest)] }),
        answer: ({ request }, line) => {
          const drip = (): void => {
            line.send({ type: 'block', request, index: 4711, untrustedBlock: new Uint8Array(10) });
            room.world.clock.after(400, drip);
          };
          drip();
        },
      }));
    });

  test(`one who holds an asset, serves another one and not this is left (${how})`, async () => {
    const room = new Classroom();
    const [starved, served] = [await room.asset('starved.ts', 300_000), await room.asset('served.ts', 20_000_000)];
    await liar(room, {
      claims: [starved.name.digest, served.name.digest],
      answer: (request, line) => {
        if (request.digest === starved.name.digest) return;
        // A block each 100 ms, so that the line is never silent and the pace is right.
        serve(served, (_, __, blocks) =>
          blocks.forEach((block, i) => room.world.clock.after(100 * (i + 1), () => line.send(block))),
        )(request, line);
      },
    });
    const peers = await room.peers(1);
    await room.settled(peers, claims, 1);
    peers[0]!.ask(served, { deadline: 60_000 });
    await room.world.clock.advance(500);
    const asking = peers[0]!.ask(starved, { deadline: 30_000 });
    await room.answered([asking]);
    assertWithin([asking], starved, SLOW_BLOCK_MS + TURN_MS + 2 * room.alone(starved));
  });

  for (const says of ['HAVE', 'FETCHING'])
    test(`one who says ${says} and is busy for ever is left after a while (${how})`, async () => {
      await withLiar(claims, BUSY_PATIENCE_MS + BUSY_PAUSE_MS + SILENCE_MS + TURN_MS, (asset, room) => ({
        ...(says === 'HAVE' ? { claims: [asset.name.digest] } : { says: [fetching(asset.name.digest)] }),
        answer: ({ request }, line) =>
          room.world.clock.after(400, () => line.send({ type: 'refuse', request, reason: 'busy' })),
      }));
    });

  test(`one whose HAVE is stale is left at once (${how})`, async () => {
    await withLiar(claims, TURN_MS, (asset) => ({
      claims: [asset.name.digest],
      answer: ({ request }, line) => line.send({ type: 'refuse', request, reason: 'not-held' }),
    }));
  });

  test(`one who says HAVE again after each refusal is asked twice (${how})`, async () => {
    const room = await withLiar(claims, TURN_MS, (asset) => ({
      claims: [asset.name.digest],
      answer: ({ request, digest }, line) => {
        line.send({ type: 'refuse', request, reason: 'not-held' });
        line.send({ ...(queued(digest) as Extract<Announcement, { type: 'queued' }>), type: 'have' });
      },
    }));
    assert.ok(room.world.said('>L request').length <= 2 * 3, 'by each of the three');
  });

  test(`one who sends a wrong block is banned, and the asset comes from elsewhere (${how})`, async () => {
    await withLiar(claims, TURN_MS, (asset) => ({
      says: [fetching(asset.name.digest)],
      answer: serve(asset, (line, _, blocks) => {
        for (const block of blocks) {
          if (block.type === 'block') block.untrustedBlock[0]! ^= 1;
          line.send(block);
        }
      }),
    }));
  });

  test(`one who will have it later, and never has, is believed once (${how})`, async () => {
    await withLiar(claims, QUEUED_PATIENCE_MS + TURN_MS, (asset) => ({
      says: [fetching(asset.name.digest)],
      answer: ({ request, digest }, line) => {
        line.send({ type: 'refuse', request, reason: 'later' });
        line.send(fetching(digest));
      },
    }));
  });
}

test('a keeper that says QUEUED again and again is believed once', async () => {
  await withLiar(false, QUEUED_PATIENCE_MS + HEAR_MS, (asset, room) => {
    const again = (send: (message: Announcement) => void): void => {
      send(queued(asset.name.digest));
      room.world.clock.after(1000, () => again(send));
    };
    return {
      hears: (message, line) => {
        if (message.type === 'want') again((said) => line.send(said));
      },
    };
  });
});

test('a keeper that said QUEUED long before one asks is believed from then on', async () => {
  const before = 1500; // what `settled` takes at least
  await withLiar(false, QUEUED_PATIENCE_MS - before, (asset) => ({ says: [queued(asset.name.digest)] }));
});

test('a keeper whose origin hangs works on for what others want, and who waits for it is not held up for ever', async () => {
  const { room, peers } = await Classroom.seated(3, { claims: false });
  const segments = await Promise.all([0, 1, 2, 3].map((i) => room.asset(`${i}.ts`, 200_000 + i)));
  for (const segment of segments) room.hang('P0', segment);
  peers[0]!.engine.expect({
    type: 'window',
    player: 1,
    swarm: null,
    assets: segments.map(({ url, name }) => ({ url, name, within: 9000 })),
  });
  const askings = segments.map((segment) => peers[2]!.ask(segment, { deadline: 20_000 }));
  await room.answered(askings);
  for (const [i, asking] of askings.entries())
    assertWithin([asking], segments[i]!, QUEUED_PATIENCE_MS + FIRST_BYTE_MS + TURN_MS + MAX_TIMER_MS);
});

test('two parts of a site that do not see each other cross twice, and neither waits for the other twice', async () => {
  const room = new Classroom();
  room.world.network.opens = (one, other) => Number(one.slice(1)) < 3 === Number(other.slice(1)) < 3;
  const peers = await room.peers(6);
  await room.settled(peers, true, 2);
  for (const [i, wait] of [CLAIM_PATIENCE_MS, TURN_MS, TURN_MS].entries()) {
    const lesson = await room.asset(`${i}.ts`, 1_000_000 + i);
    const askings = await room.ask(peers, lesson);
    await room.answered(askings);
    assert.equal(room.crossed(lesson).length, 2, room.crossed(lesson).join());
    // They share the line as well.
    assertWithin(askings, lesson, wait + 2 * room.alone(lesson));
  }
});

test('a chain of followers whose source dies takes the rest over its next link, without a circle', async () => {
  for (const claims of [true, false]) {
    const room = new Classroom(500);
    room.world.network.opens = (one, other) => Math.abs(Number(one.slice(1)) - Number(other.slice(1))) === 1;
    const peers = await room.peers(6);
    await room.world.clock.advance(3000);
    room.world.server.settlesClaims = claims;
    const lesson = await room.asset('lesson.ts', 1_000_000);
    const askings = await room.ask(peers, lesson);
    await room.world.clock.advance(1000);
    peers[0]!.die();
    await room.answered(askings.slice(1));
    assert.ok(room.copies(lesson) <= 1.2, `${room.copies(lesson)}`);
    assertWithin(askings.slice(1), lesson, room.alone(lesson) + SILENCE_MS + HOP_PATIENCE_MS + TURN_MS + 200);
  }
});

test('whichever of thirteen dies whenever, the others have the asset in bounded time', async () => {
  for (const dead of [0, 3, 12])
    for (const at of [5, 150, 350]) {
      const { room, peers, lesson } = await Classroom.seated(13, { lineRate: 3000, claims: dead % 2 === 0 });
      const askings = await room.ask(peers, lesson);
      await room.world.clock.advance(at);
      peers[dead]!.die();
      const rest = askings.filter((_, i) => i !== dead);
      await room.answered(rest);
      assert.ok(room.copies(lesson) <= 2.1, `${dead} at ${at}: ${room.copies(lesson)}`);
      assertWithin(rest, lesson, CLAIM_PATIENCE_MS + TURN_MS + 2 * room.alone(lesson));
    }
});

type Liar = Partial<RawPeerOptions> & { readonly says?: readonly Announcement[] };

/** Liars are first at the site, so they stand before the three who ask; bound in ms above what one alone would take. */
async function withLiar(
  claims: boolean,
  bound: number,
  how: (asset: TestAsset, room: Classroom) => Liar | readonly Liar[],
): Promise<Classroom> {
  const room = new Classroom();
  const lesson = await room.asset('lesson.ts', 12 * BLOCK_BYTES);
  const liars = [how(lesson, room)].flat();
  for (const one of liars) await liar(room, one);
  const peers = await room.peers(3);
  await room.settled(peers, claims, 2 + liars.length);
  const askings = await room.ask(peers, lesson);
  await room.answered(askings);
  assert.equal(room.crossed(lesson).length, 1, room.crossed(lesson).join());
  assertWithin(askings, lesson, bound + room.alone(lesson));
  return room;
}
