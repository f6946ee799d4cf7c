import { expect } from 'chai';
import '../../components/define/p2p-mesh.ts';
import { useMesh } from '../../components/use-mesh.ts';
import { Page } from './harness.browser.ts';

describe('p2p-mesh', () => {
  let page: Page;
  beforeEach(() => (page = new Page()));
  afterEach(() => page.close());

  it('sets the mesh up with its attributes when it comes to the page', async () => {
    page.add(
      '<p2p-mesh signal="https://mesh.example" manifest="none" upload="off" max-upload="5mbps" max-storage="200mb" consent="required" ice-transport="relay"></p2p-mesh>',
    );
    expect(await page.mesh.options()).to.deep.equal([
      {
        signal: 'https://mesh.example',
        manifest: 'none',
        upload: false,
        maxUpload: 5e6,
        maxStorage: 200e6,
        consentRequired: true,
        iceTransport: 'relay',
      },
    ]);
  });

  it('takes a token with its attributes, and hands on another one without a warning', async () => {
    const element = page.add<HTMLElement & { updateComplete: Promise<unknown> }>(
      '<p2p-mesh token=" a.b.c "></p2p-mesh>',
    );
    expect(await page.mesh.options()).to.deep.equal([{ token: 'a.b.c' }]);
    await element.updateComplete;
    element.setAttribute('token', 'd.e.f');
    element.setAttribute('token', 'd.e.f');
    element.removeAttribute('token');
    expect(page.mesh.tokens).to.deep.equal(['d.e.f', null]);
    expect(page.warnings).to.deep.equal([]);
  });

  it('is read once, however many elements use the mesh', async () => {
    const element = page.add<HTMLElement & { mesh: unknown }>('<p2p-mesh upload="off"></p2p-mesh>');
    expect(useMesh()).to.equal(page.mesh);
    expect(element.mesh).to.equal(page.mesh);
    expect(page.mesh.configured).to.have.length(1);
  });

  it('joins the mesh at once, also where no other element uses it', async () => {
    page.add('<p2p-mesh></p2p-mesh>');
    expect(page.mesh.joined).to.deep.equal([location.origin]);
  });

  it('need not be there', async () => {
    expect(useMesh()).to.equal(page.mesh);
    expect(page.mesh.configured).to.deep.equal([]);
  });

  it('counts though it has not been upgraded yet', async () => {
    const inert = document.implementation.createHTMLDocument();
    inert.body.innerHTML = '<p2p-mesh upload="off"></p2p-mesh>';
    // In a document without a window nothing is ever upgraded; it stands in for one whose definition has not run.
    const query = document.querySelectorAll.bind(document);
    document.querySelectorAll = inert.querySelectorAll.bind(inert);
    try {
      useMesh();
    } finally {
      document.querySelectorAll = query;
    }
    expect(await page.mesh.options()).to.deep.equal([{ upload: false }]);
  });

  it('warns once about an attribute that it does not understand, and uses the default', async () => {
    page.add('<p2p-mesh upload="sometimes" max-upload="fast"></p2p-mesh>');
    useMesh();
    expect(await page.mesh.options()).to.deep.equal([{}]);
    expect(page.warnings).to.have.length(2);
    expect(page.warnings[0]).to.contain(
      '<p2p-mesh upload="sometimes"> is not understood: expected "on", "wifi" or "off"',
    );
    expect(page.warnings[1]).to.contain('such as "5mbps"');
  });

  it('takes lists of patterns of what may be shared, and what may not', async () => {
    page.add('<p2p-mesh share="/media/* \n /fonts/:name.woff2" exclude="*.html"></p2p-mesh>');
    expect(await page.mesh.options()).to.deep.equal([
      { share: ['/media/*', '/fonts/:name.woff2'], exclude: ['*.html'] },
    ]);
  });

  for (const attribute of ['share', 'exclude'])
    it(`shares nothing where ${attribute} is no list of patterns, and says so`, async () => {
      page.add(`<p2p-mesh ${attribute}="/media/("></p2p-mesh>`);
      const [options] = await page.mesh.options();
      expect(options?.share).to.deep.equal([]);
      expect(page.warnings[0]).to.contain(
        `<p2p-mesh ${attribute}="/media/("> is not understood: expected URL patterns`,
      );
      expect(page.warnings[0]).to.contain('nothing is shared');
    });

  it('warns once when there are several; the first counts', async () => {
    page.add('<p2p-mesh upload="off"></p2p-mesh><p2p-mesh></p2p-mesh><p2p-mesh></p2p-mesh>');
    expect(await page.mesh.options()).to.deep.equal([{ upload: false }]);
    expect(page.warnings.filter((warning) => warning.includes('more than one <p2p-mesh>'))).to.have.length(1);
  });

  it('says that a later change has no effect', async () => {
    const element = page.add<HTMLElement & { updateComplete: Promise<unknown> }>('<p2p-mesh></p2p-mesh>');
    await element.updateComplete;
    element.setAttribute('upload', 'off');
    expect(page.warnings[0]).to.contain('changed after the mesh was in use, which has no effect');
    expect(page.mesh.configured).to.have.length(1);
  });
});
