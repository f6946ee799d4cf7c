/** hls.js declares no types for its light build; it has the same face as the full one. */
declare module 'hls.js/light' {
  export * from 'hls.js';
  export { default } from 'hls.js';
}
