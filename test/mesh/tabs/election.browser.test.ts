import { expect } from 'chai';
import { Election, type ElectionListener } from '../../../mesh/tabs/election.ts';
import { holdLock } from '../../../mesh/tabs/hold-lock.ts';

/** A listener that notes what it is told, and waits for it. */
class Notes implements ElectionListener {
  readonly told: string[] = [];
  epoch = 0;
  #wake: () => void = () => undefined;

  lead({ epoch }: { epoch: number }): void {
    this.epoch = epoch;
    this.#note('lead');
  }

  deposed(): void {
    this.#note('deposed');
  }

  follow(): void {
    this.#note('follow');
  }

  alone(): void {
    this.#note('alone');
  }

  undecided(): void {
    // Told only where it takes long.
  }

  async admit(): Promise<void> {
    this.#note('admit');
  }

  async until(count: number): Promise<readonly string[]> {
    while (this.told.length < count) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.told;
  }

  #note(what: string): void {
    this.told.push(what);
    this.#wake();
  }
}

let names = 0;
const newName = (): string => `test ${++names} ${crypto.randomUUID()}`;

/** Here is no service worker, so tabs do not find each other: test/scenarios/tabs.scenario.ts has one. */
describe('Election', () => {
  it('lets the first tab lead, and one that can not find it be a peer of its own', async () => {
    const name = newName();
    const [first, second] = [new Notes(), new Notes()];
    const elections = [new Election(name, first), new Election(name, second)];
    elections[0]!.start();
    expect(await first.until(1)).to.deep.equal(['lead']);
    elections[1]!.start();
    expect(await second.until(1)).to.deep.equal(['alone']);
    for (const election of elections) election.stop();
  });

  it('lets tabs that want something else of an engine lead too', async () => {
    const listeners = [new Notes(), new Notes()];
    const elections = listeners.map((listener) => new Election(newName(), listener));
    for (const election of elections) election.start();
    for (const listener of listeners) expect(await listener.until(1)).to.deep.equal(['lead']);
    for (const election of elections) election.stop();
  });

  it('gives the lead up when it is stopped, and takes it again with a higher epoch', async () => {
    const name = newName();
    const notes = new Notes();
    const election = new Election(name, notes);
    election.start();
    await notes.until(1);
    const { epoch } = notes;
    election.stop();
    const scope = new AbortController();
    expect(await holdLock(name, {}, scope.signal)).not.to.equal(null);
    scope.abort();
    await navigator.locks.request(name, () => undefined);
    election.start();
    expect(await notes.until(2)).to.deep.equal(['lead', 'lead']);
    expect(notes.epoch).to.be.greaterThan(epoch);
    election.stop();
  });

  it('is deposed when another tab takes the lock by force', async () => {
    const name = newName();
    const notes = new Notes();
    const election = new Election(name, notes);
    election.start();
    await notes.until(1);
    const scope = new AbortController();
    await holdLock(name, { steal: true }, scope.signal);
    expect((await notes.until(3)).slice(0, 3)).to.deep.equal(['lead', 'deposed', 'alone']);
    election.stop();
    scope.abort();
  });
});

describe('holdLock()', () => {
  it('waits, and gives up waiting with the signal', async () => {
    const name = newName();
    const [holder, waiter] = [new AbortController(), new AbortController()];
    await holdLock(name, {}, holder.signal);
    const waiting = holdLock(name, {}, waiter.signal);
    waiter.abort();
    expect(await waiting).to.equal(null);
    expect(await holdLock(name, { ifAvailable: true }, new AbortController().signal)).to.equal(null);
    holder.abort();
    await navigator.locks.request(name, () => undefined);
  });

  it('does not take its own end for a theft', async () => {
    const scope = new AbortController();
    const name = newName();
    const lock = await holdLock(name, {}, scope.signal);
    let taken = false;
    void lock!.taken.then(() => (taken = true));
    scope.abort();
    await navigator.locks.request(name, () => undefined);
    expect(taken).to.equal(false);
  });
});
