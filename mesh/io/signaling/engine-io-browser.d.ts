/** engine.io-client's build for browsers comes without types; it exports the same names. */
declare module 'engine.io-client/dist/engine.io.esm.min.js' {
  export * from 'engine.io-client';
}
