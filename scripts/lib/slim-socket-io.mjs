// Rollup: socket.io's client as a browser needs it. Gzipped: 12.6 KB whole, 11.8 without WebTransport, 10.4 with WebSocket alone, 9.0 without what
// we never call.
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

/** Only absolute URLs without credentials, path or query come in: ours are origins. */
const PARSE_URI = {
  file: /engine\.io-client\/build\/esm\/contrib\/parseuri\.js$/,
  code: "export const parse = (uri) => { const { protocol, hostname, port } = new URL(uri); return { protocol: protocol.slice(0, -1), host: hostname.replace(/[[\\]]/g, ''), port }; };",
};

/** Methods that we never call or that do nothing for us: listeners for any event, retries, and the way from polling up to the WebSocket that has just failed. */
const UNUSED = [
  {
    file: /socket\.io-client\/build\/esm\/socket\.js$/,
    methods: [
      ...['onAny', 'prependAny', 'offAny', 'listenersAny'],
      ...['onAnyOutgoing', 'prependAnyOutgoing', 'offAnyOutgoing', 'listenersAnyOutgoing', 'notifyOutgoingListeners'],
      ...['_addToQueue', '_drainQueue'],
    ],
  },
  { file: /engine\.io-client\/build\/esm\/socket\.js$/, methods: ['_probe'] },
];

const POLLING = { file: /transports\/polling-xhr\.js$/, code: 'export const XHR = undefined;' };

/** What only polling needs of the parser is a module of its own, so that it goes where polling goes and not to everybody. */
const PAYLOADS = `${fileURLToPath(import.meta.resolve('engine.io-parser'))}?payloads`;

/** The client skips a transport whose class is undefined. */
export function slimSocketIO({ webtransport = false, polling = true } = {}) {
  const absent = [...BINARY, PARSE_URI, ...(webtransport ? [] : [WEBTRANSPORT]), ...(polling ? [] : [POLLING])];
  return {
    name: 'slim-socket-io',
    async resolveId(source, importer) {
      // The index brings what makes a Manager out of any URL; we make our own.
      if (source === 'socket.io-client') {
        const whole = await this.resolve(source, importer, { skipSelf: true });
        return whole && { ...whole, id: whole.id.replace(/index\.js$/, 'manager.js') };
      }
      if (source === 'engine.io-parser' && importer?.endsWith('/transports/polling.js')) return PAYLOADS;
      // Its package.json maps the files for Node to those for browsers, but a second package.json in build/esm/ hides that from rollup.
      if (!importer?.includes('/engine.io-client/build/esm/') || !source.endsWith('.node.js')) return null;
      return resolve(dirname(importer), source.replace(/\.node\.js$/, '.js'));
    },
    load: (id) =>
      id === PAYLOADS
        ? readFileSync(id.replace('?payloads', ''), 'utf8')
        : (absent.find(({ file }) => file.test(id))?.code ?? null),
    transform(code, id) {
      const unused = UNUSED.find(({ file }) => file.test(id));
      return unused ? { code: emptied(code, this.parse(code), unused.methods), map: null } : null;
    },
  };
}

/** The code with the bodies of these methods taken out, as many lines as before. */
function emptied(code, { body }, names) {
  const classes = body.map((node) => node.declaration ?? node).filter(({ type }) => type === 'ClassDeclaration');
  const methods = classes.flatMap((node) => node.body.body).filter(({ key }) => names.includes(key?.name));
  const absent = names.filter((name) => !methods.some(({ key }) => key.name === name));
  if (absent.length > 0) throw new Error(`socket.io has no ${absent.join(', ')} any more: look at it again.`);
  const blank = ({ value }) => code.slice(value.body.start + 1, value.body.end - 1).replace(/[^\n]/g, '');
  return methods.reduceRight(
    (rest, method) => `${rest.slice(0, method.value.body.start)}{${blank(method)}}${rest.slice(method.value.body.end)}`,
    code,
  );
}
