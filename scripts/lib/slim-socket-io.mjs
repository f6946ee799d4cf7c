// Rollup: socket.io's client as a browser needs it. Gzipped: 12.6 KB whole, 11.8 without WebTransport, 10.4 with WebSocket alone.
import { dirname, resolve } from 'node:path';

const WEBTRANSPORT = { file: /transports\/webtransport\.js$/, code: 'export const WT = undefined;' };
/** We send and take JSON; a binary packet is refused as malformed. */
const BINARY = [
  {
    file: /socket\.io-parser\/build\/esm\/is-binary\.js$/,
    code: 'export const isBinary = () => false; export const hasBinary = () => false;',
  },
  {
    file: /socket\.io-parser\/build\/esm\/binary\.js$/,
    code: "const refuse = () => { throw new Error('binary packets are not spoken here'); }; export { refuse as deconstructPacket, refuse as reconstructPacket };",
  },
];
const POLLING = { file: /transports\/polling-xhr\.js$/, code: 'export const XHR = undefined;' };

/** The client skips a transport whose class is undefined. */
export function slimSocketIO({ webtransport = false, polling = true } = {}) {
  const absent = [...BINARY, ...(webtransport ? [] : [WEBTRANSPORT]), ...(polling ? [] : [POLLING])];
  return {
    name: 'slim-socket-io',
    /** Its package.json maps the files for Node to those for browsers, but a second package.json in build/esm/ hides that from rollup. */
    resolveId(source, importer) {
      if (!importer?.includes('/engine.io-client/build/esm/') || !source.endsWith('.node.js')) return null;
      return resolve(dirname(importer), source.replace(/\.node\.js$/, '.js'));
    },
    load: (id) => absent.find(({ file }) => file.test(id))?.code ?? null,
  };
}
