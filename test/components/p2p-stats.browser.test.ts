import { expect } from 'chai';
import '../../components/define/p2p-stats.ts';
import type { P2PStats } from '../../components/p2p-stats.ts';
import { Page, until } from './harness.browser.ts';

describe('p2p-stats', () => {
  let page: Page;
  let panel: P2PStats;

  beforeEach(async () => {
    page = new Page();
    panel = page.add<P2PStats>('<p2p-stats></p2p-stats>');
    await panel.updateComplete;
  });
  afterEach(() => page.close());

  const part = (name: string): HTMLElement => panel.renderRoot.querySelector(`[part~="${name}"]`) as HTMLElement;
  const rows = (): string[] =>
    [...panel.renderRoot.querySelectorAll('[part="row"]')].map((row) =>
      [...row.children].map((cell) => cell.textContent).join(' '),
    );
  const offload = (): string =>
    [...panel.renderRoot.querySelectorAll('.offload *')].map((word) => word.textContent).join(' ');

  it('says how things stand before anything happened', () => {
    expect(part('state').textContent).to.equal('Alone here');
    expect(rows()).to.deep.equal(['Neighbours 0 bytes', 'This device 0 bytes', 'Origin 0 bytes', 'Handed out 0 bytes']);
    expect(offload()).to.equal('0 % offload');
  });

  it('shows neighbours, bytes by source, what was handed out and the offload', async () => {
    page.mesh.setStats({ peers: 3, offload: 0.75, bytes: { origin: 1e6, peers: 2e6, store: 1e6, uploaded: 5e5 } });
    await panel.updateComplete;
    expect(part('state').textContent).to.equal('3 neighbours');
    expect(rows()).to.deep.equal(['Neighbours 2.0 MB', 'This device 1.0 MB', 'Origin 1.0 MB', 'Handed out 500 kB']);
    expect(offload()).to.equal('75 % offload');
  });

  it('draws the shares of the bar to scale', async () => {
    page.mesh.setStats({ bytes: { origin: 25, peers: 50, store: 25, uploaded: 0 } });
    await panel.updateComplete;
    const grow = ['bar-peers', 'bar-store', 'bar-origin'].map((name) => part(name).style.flexGrow);
    expect(grow).to.deep.equal(['0.5', '0.25', '0.25']);
  });

  it('is readable without seeing it', async () => {
    page.mesh.setStats({ peers: 1 });
    await panel.updateComplete;
    expect(part('panel').getAttribute('role')).to.equal('group');
    expect(part('state').getAttribute('role')).to.equal('status');
    expect(part('bar').getAttribute('aria-label')).to.match(/^1 neighbour\. Neighbours 0 bytes, .* Offload 0 %\.$/);
  });

  it('updates at most four times a second, and shows the last state', async () => {
    const renders: number[] = [];
    const observer = new MutationObserver(() => renders.push(performance.now()));
    observer.observe(part('state'), { childList: true, characterData: true, subtree: true });
    const start = performance.now();
    let peers = 0;
    while (performance.now() - start < 600) {
      page.mesh.setStats({ peers: ++peers });
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await until(() => part('state').textContent === `${peers} neighbours`, 'the last state');
    observer.disconnect();
    expect(renders.length).to.be.within(2, 5);
  });

  it('keeps its size when the numbers change', async () => {
    const before = panel.offsetHeight;
    page.mesh.setStats({
      peers: 12,
      offload: 1,
      originReachable: false,
      bytes: { origin: 1e9, peers: 2e9, store: 1e9, uploaded: 5e9 },
    });
    await panel.updateComplete;
    expect(panel.offsetHeight).to.equal(before);
  });

  it('listens no longer once it is removed', async () => {
    panel.remove();
    page.mesh.setStats({ peers: 3 });
    await panel.updateComplete;
    expect(part('state').textContent).to.equal('Alone here');
  });

  it('shows the present state when it comes back', async () => {
    const parent = panel.parentElement!;
    panel.remove();
    page.mesh.setStats({ peers: 3 });
    parent.appendChild(panel);
    await panel.updateComplete;
    expect(part('state').textContent).to.equal('3 neighbours');
  });

  it('can be coloured from outside', () => {
    panel.style.setProperty('--p2p-stats-background', 'rgb(1, 2, 3)');
    expect(getComputedStyle(part('panel')).backgroundColor).to.equal('rgb(1, 2, 3)');
  });
});
