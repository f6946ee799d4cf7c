/** hls.js ships types for its full build only; the light build exports the same names. */
declare module 'hls.js/light' {
  export * from 'hls.js';
  export { default } from 'hls.js';
}
