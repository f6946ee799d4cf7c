import { expect } from 'chai';
import * as all from '../../components/define/all.ts';
import { define } from '../../components/define/define.ts';
import * as entry from '../../index.ts';
import { Page } from './harness.browser.ts';

describe('registration', () => {
  it('of all elements makes each tag its class', () => {
    const tags = {
      'p2p-mesh': all.P2PMesh,
      'p2p-video': all.P2PVideo,
      'p2p-img': all.P2PImg,
      'p2p-stats': all.P2PStats,
    };
    for (const [tag, element] of Object.entries(tags)) expect(customElements.get(tag)).to.equal(element);
  });

  it('twice is harmless', () => {
    const first = customElements.get('p2p-img');
    define('p2p-img', class extends HTMLElement {});
    expect(customElements.get('p2p-img')).to.equal(first);
  });

  it('is left to the page by the package entry, which has the same classes', () => {
    expect(entry.P2PImg).to.equal(all.P2PImg);
    expect(entry.P2PVideo).to.equal(all.P2PVideo);
    expect(entry.mesh).to.be.instanceOf(entry.Mesh);
  });

  it('every element has the page’s mesh', () => {
    const page = new Page();
    try {
      for (const tag of ['p2p-mesh', 'p2p-video', 'p2p-img', 'p2p-stats']) {
        expect(page.add<HTMLElement & { mesh: unknown }>(`<${tag}></${tag}>`).mesh, tag).to.equal(page.mesh);
      }
    } finally {
      page.close();
    }
  });
});
