import { expect } from 'chai';
import { engineOptions, LOT_ITEM } from '../../../mesh/page/engine-options.ts';
import { Mesh } from '../../../mesh/page/mesh.ts';
import { LOTS } from '../../../protocol/beacon.ts';

const lot = (): number => engineOptions({}).options.lot;

describe('the lot of a browser', () => {
  beforeEach(() => localStorage.removeItem(LOT_ITEM));

  it('is drawn once and kept', () => {
    const drawn = lot();
    expect(drawn).to.be.within(0, LOTS - 1);
    expect(Number.isInteger(drawn)).to.equal(true);
    for (let visit = 0; visit < 20; visit++) expect(lot()).to.equal(drawn);
  });

  it('is another one in another browser', () => {
    const lots = new Set<number>();
    for (let browser = 0; browser < 20; browser++) {
      localStorage.removeItem(LOT_ITEM);
      lots.add(lot());
    }
    expect(lots.size).to.be.above(10);
  });

  it('0 counts as kept; what is none is drawn again, for the server would refuse it', () => {
    localStorage.setItem(LOT_ITEM, '0');
    expect(lot()).to.equal(0);
    for (const wrong of ['', 'x', '-1', String(LOTS), 'Infinity']) {
      localStorage.setItem(LOT_ITEM, wrong);
      expect(lot()).to.be.within(0, LOTS - 1);
      expect(localStorage.getItem(LOT_ITEM)).to.not.equal(wrong);
    }
  });

  it('is thrown away with all else', async () => {
    lot();
    const mesh = new Mesh();
    mesh.configure({ signal: 'http://127.0.0.1:9', manifest: 'none', worker: 'none', consentRequired: true });
    await mesh.clear();
    expect(localStorage.getItem(LOT_ITEM)).to.equal(null);
  });
});
