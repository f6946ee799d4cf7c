/** Which tab leads, with fakes of the browser's parts: test/scenarios/tabs.scenario.ts has the real ones. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { TAB_ALIVE_EVERY_MS, TAB_SILENT_TICKS } from '../../../mesh/core/limits.ts';
import { Election } from '../../../mesh/tabs/election.ts';
import { UNHEARD_TICKS, WHO_WAIT_MS } from '../../../mesh/tabs/limits.ts';
import type { Lead } from '../../../protocol/page.ts';
import { fakeBrowser, type FakeContainer, type FakeLocks } from './fake-browser.ts';

interface Tab {
  readonly election: Election;
  readonly told: string[];
  readonly leads: Lead[];
  /** Ends of ports that it was given. */
  readonly ports: MessagePort[];
  /** The engine at the other end says that it is there. */
  alive(resume: string | null): void;
  /** Its engine is there: it takes the ports of others from now on. */
  engineStarts(): void;
  readonly admitted: string[];
}

interface Room {
  readonly locks: FakeLocks;
  readonly container: FakeContainer;
  tab(): Tab;
  /** Lets virtual time pass, with all messages between. */
  pass(milliseconds: number): Promise<void>;
}

let rooms = 0;

function room(t: TestContext): Room {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  const name = `room ${++rooms}`;
  const all: Election[] = [];
  t.after(() => {
    for (const election of all) election.stop();
  });
  const turns = async (): Promise<void> => {
    await import('../../../mesh/tabs/follow.ts'); // Its loading takes time that no mocked clock counts.
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
  };
  return {
    ...fakeBrowser(t),
    tab: () => {
      const told: string[] = [];
      const leads: Lead[] = [];
      const ports: MessagePort[] = [];
      const admitted: string[] = [];
      let heard: (resume: string | null) => void = () => undefined;
      let start: () => void = () => undefined;
      const started = new Promise<void>((resolve) => (start = resolve));
      const election = new Election(name, {
        lead: (lead) => {
          told.push('lead');
          leads.push(lead);
        },
        deposed: () => told.push('deposed'),
        alone: () => told.push('alone'),
        undecided: () => told.push('undecided'),
        follow: (port, alive) => {
          told.push('follow');
          ports.push(port);
          heard = alive;
        },
        admit: async (_port, lock) => {
          await started;
          admitted.push(lock);
        },
      });
      all.push(election);
      election.start();
      return { election, told, leads, ports, admitted, alive: (resume) => heard(resume), engineStarts: start };
    },
    pass: async (milliseconds) => {
      await turns();
      for (let left = milliseconds; left > 0; left -= 50) {
        t.mock.timers.tick(Math.min(50, left));
        await turns();
      }
    },
  };
}

test('the first tab leads, the second follows, and when the first is gone the second leads with its secret and a higher epoch', async (t) => {
  const { tab, pass } = room(t);
  const a = tab();
  a.engineStarts();
  await pass(10);
  const b = tab();
  await pass(100);
  assert.deepEqual([a.told, b.told], [['lead'], ['follow']]);
  b.alive('secret');
  a.election.stop();
  await pass(100);
  assert.deepEqual(b.told, ['follow', 'lead']);
  assert.equal(b.leads[0]!.resume, 'secret');
  assert.ok(b.leads[0]!.epoch > a.leads[0]!.epoch);
});

test('a leader whose engine takes long to start keeps the lead; who waits for it loads outside the mesh meanwhile', async (t) => {
  const { tab, pass } = room(t);
  const a = tab();
  await pass(10);
  const b = tab();
  await pass(3 * UNHEARD_TICKS * TAB_ALIVE_EVERY_MS);
  assert.deepEqual([a.told, b.told], [['lead'], ['undecided']]);
  a.engineStarts();
  await pass(100);
  assert.deepEqual(b.told, ['undecided', 'follow']);
  assert.equal(a.admitted.length, 1, 'it asked often, and is let in once');
});

test('a leader that falls silent is deposed by force after three looks, not before', async (t) => {
  const { tab, pass } = room(t);
  const a = tab();
  a.engineStarts();
  await pass(10);
  const b = tab();
  await pass(100);
  for (let beat = 0; beat < 5; beat++) {
    b.alive('x');
    await pass(TAB_ALIVE_EVERY_MS);
  }
  b.alive('x');
  await pass((TAB_SILENT_TICKS - 1) * TAB_ALIVE_EVERY_MS);
  assert.deepEqual(b.told, ['follow']);
  await pass(2 * TAB_ALIVE_EVERY_MS);
  assert.deepEqual(b.told, ['follow', 'lead']);
  assert.deepEqual(a.told.slice(0, 2), ['lead', 'deposed']);
  b.engineStarts();
  await pass(1000);
  assert.equal(a.told.at(-1), 'follow');
});

test('a leader whose page has no service worker of ours, so that nobody can reach it, is deposed at last', async (t) => {
  const { tab, pass, container } = room(t);
  const a = tab();
  a.engineStarts();
  await pass(10);
  const worker = container.controller!;
  container.controller = {
    postMessage: (...message) => {
      worker.postMessage(...message);
      container.controller = null; // It is the second page's alone.
    },
  };
  const b = tab();
  await pass((UNHEARD_TICKS - 2) * TAB_ALIVE_EVERY_MS);
  assert.deepEqual([a.told, b.told], [['lead'], ['undecided']], 'not at once: its page may be busy');
  await pass(4 * TAB_ALIVE_EVERY_MS);
  container.controller = worker;
  assert.ok(b.told.includes('lead') || b.told.includes('follow'), b.told.join());
});

test('where the browser keeps nothing of the site each tab is a peer', async (t) => {
  const { tab, pass, locks } = room(t);
  locks.isDenied = true;
  const tabs = [tab(), tab()];
  await pass(100);
  for (const { told } of tabs) assert.deepEqual(told, ['alone']);
});

test('a service worker that does not say who we are makes the tab a peer of its own, which loads meanwhile', async (t) => {
  const { tab, pass, container } = room(t);
  container.controller = { postMessage: () => undefined };
  const a = tab();
  await pass(10);
  const b = tab();
  await pass(WHO_WAIT_MS + 100);
  assert.deepEqual([a.told, b.told], [['lead'], ['undecided', 'alone']]);
});

test('an election that was stopped says nothing more, and leaves the lead to others', async (t) => {
  const { tab, pass } = room(t);
  const a = tab();
  a.engineStarts();
  await pass(10);
  const b = tab();
  b.election.stop();
  a.election.stop();
  const c = tab();
  await pass(2 * WHO_WAIT_MS);
  assert.deepEqual([b.told, c.told.at(-1)], [[], 'lead']);
});
