// Rollup: socket.io's client as a browser needs it. Gzipped: 12.6 KB whole, 11.8 without WebTransport, 10.4 with WebSocket alone.
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

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

/** What only polling needs of the parser is a module of its own, so that it goes where polling goes and not to everybody. */
const PAYLOADS = `${fileURLToPath(import.meta.resolve('engine.io-parser'))}?payloads`;

/** The client skips a transport whose class is undefined. */
export function slimSocketIO({ webtransport = false, polling = true } = {}) {
  const absent = [...BINARY, ...(webtransport ? [] : [WEBTRANSPORT]), ...(polling ? [] : [POLLING])];
  return {
    name: 'slim-socket-io',
    /** Its package.json maps the files for Node to those for browsers, but a second package.json in build/esm/ hides that from rollup. */
    resolveId(source, importer) {
      if (source === 'engine.io-parser' && importer?.endsWith('/transports/polling.js')) return PAYLOADS;
      if (!importer?.includes('/engine.io-client/build/esm/') || !source.endsWith('.node.js')) return null;
      return resolve(dirname(importer), source.replace(/\.node\.js$/, '.js'));
    },
    load: (id) =>
      id === PAYLOADS
        ? readFileSync(id.replace('?payloads', ''), 'utf8')
        : (absent.find(({ file }) => file.test(id))?.code ?? null),
  };
}
