import { expect } from 'chai';
import { urlFilter } from '../../../mesh/io/url-filter.ts';

const BASE = 'https://school.test/lessons/page.html';
const ALL = {
  'https://school.test/media/a.png': 'a',
  'https://school.test/media/a.png?v=1': 'b',
  'https://school.test/media/deep/a.png': 'c',
  'https://school.test/lessons/b.png': 'd',
  'https://cdn.test/media/a.png': 'e',
};

/** Which of them may be shared. */
function shared(share: string[] | null, exclude: string[] = []): string {
  const mayShare = urlFilter({ share, exclude, base: BASE });
  return Object.entries(ALL)
    .filter(([url]) => mayShare(url))
    .map(([, name]) => name)
    .join('');
}

describe('urlFilter', () => {
  for (const [what, share, exclude, expected] of [
    ['nothing said', null, [], 'abcde'],
    ['one pattern', ['/media/*'], [], 'abc'],
    ['several patterns', ['/media/deep/*', '/lessons/*'], [], 'cd'],
    ['a pattern relative to the page', ['*.png'], [], 'd'],
    ['a pattern of another web origin', ['https://cdn.test/*'], [], 'e'],
    ['an empty list', [], [], ''],
    ['something excluded', null, ['/media/deep/*'], 'abde'],
    ['both: what is excluded counts', ['/media/*'], ['/media/deep/*'], 'ab'],
    ['named groups', ['/media/:name.png'], [], 'ab'],
  ] as const)
    it(`${what}: ${expected || 'nothing'}`, () => expect(shared(share && [...share], [...exclude])).to.equal(expected));

  it('does not take what is no pattern', () => {
    expect(() => urlFilter({ share: ['/media/('], exclude: [], base: BASE })).to.throw(TypeError);
  });
});
