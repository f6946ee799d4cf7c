// Writes .br and .gz beside each script of a folder, for a server to send as they are.
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

const kilobytes = (bytes) => (bytes / 1000).toFixed(1).padStart(8);

/** @returns {Promise<string>} a table of sizes */
export async function compressFolder(folder, parallel) {
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('.js')).sort();
  const rows = new Map();
  const waiting = [...files];
  const worker = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift())
      rows.set(file, await compress(`${folder}/${file}`));
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  const lines = files.map((file) => `${rows.get(file).map(kilobytes).join('')}  ${file}`);
  return ['     KB    gzip  brotli', ...lines].join('\n');
}

async function compress(path) {
  const source = await readFile(path);
  const [gz, br] = await Promise.all([
    promisify(gzip)(source, { level: 9 }),
    promisify(brotliCompress)(source, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: source.length },
    }),
  ]);
  await Promise.all([writeFile(`${path}.gz`, gz), writeFile(`${path}.br`, br)]);
  return [source.length, gz.length, br.length];
}
