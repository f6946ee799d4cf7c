/** Names of segments whose playlist tells none, as the digest service knows them: by URL and range, for all of a page. */
import type { Fragment } from 'hls.js';
import type { AssetName } from '../../protocol/ids.ts';

export const names = new Map<string, AssetName>();

export const nameKey = ({ url, byteRange }: Pick<Fragment, 'url' | 'byteRange'>): string =>
  `${url} ${byteRange.join('-')}`;
