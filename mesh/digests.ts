/** What only those need who ask the digest service: apart from `index.ts`, which every page loads. */
export { namesOfPlaylist } from './page/digest-names.ts';
