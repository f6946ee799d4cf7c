import assert from 'node:assert/strict';
import { execFile as execFileCallback } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer as createHttpsServer } from 'node:https';
import { createServer, type AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import type { OriginAnswer, OriginReader, ReadRequest } from '../../../server/digest-service/origin-reader.ts';
import { packageRoot } from '../../../server/package-root.ts';
import { selfSigned } from '../../harness/certificate.ts';
import { bytes, folderOf } from '../support.ts';
import { origin, reader, resolvesTo, type Handler } from './support.ts';

const execFile = promisify(execFileCallback);

const read = (from: OriginReader, url: string, request: Partial<ReadRequest> = {}): Promise<OriginAnswer> =>
  from.read({ url, followsRedirects: true, timeoutMs: 5000, signal: new AbortController().signal, ...request });

async function bodyOf({ body }: OriginAnswer): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const redirect =
  (location: string): Handler =>
  (_request, response) =>
    response.writeHead(302, { location }).end();

test('a body, its status and its headers', async (t) => {
  const { url } = await origin(t, { '/a': 'hello' });
  const answer = await read(reader(t, [url]), `${url}/a?b=1`);
  assert.equal(answer.status, 200);
  assert.equal(answer.url, `${url}/a?b=1`);
  assert.equal(answer.redirected, false);
  assert.equal(answer.headers.get('content-length'), '5');
  assert.equal(answer.headers.get('vary'), null);
  assert.equal((await bodyOf(answer)).toString(), 'hello');
});

test('nothing is sent that identifies anybody, and no encoding is asked for', async (t) => {
  const { url, headers } = await origin(t, { '/a': (_, response) => response.setHeader('set-cookie', 'a=1').end('x') });
  const from = reader(t, [url]);
  await bodyOf(await read(from, `${url}/a`));
  await bodyOf(await read(from, `${url}/a`, { range: { start: 2, end: 5 }, etag: '"e"', lastModified: 'then' }));
  assert.deepEqual(Object.keys(headers[0] ?? {}).sort(), [
    'accept',
    'accept-encoding',
    'connection',
    'host',
    'user-agent',
  ]);
  assert.equal(headers[0]?.['accept-encoding'], 'identity');
  assert.equal(headers[1]?.cookie, undefined);
  const { range, 'if-none-match': etag, 'if-modified-since': since } = headers[1] ?? {};
  assert.deepEqual({ range, etag, since }, { range: 'bytes=2-4', etag: '"e"', since: 'then' });
});

test('only http(s) URLs without credentials of the listed origins', async (t) => {
  const { url, asked } = await origin(t, { '/a': 'hello' });
  const { host, port } = new URL(url);
  const from = reader(t, [url, 'https://cdn.example']);
  for (const other of [
    ...[`http://user@${host}/a`, `http://:secret@${host}/a`, `https://${host}/a`, `http://localhost:${port}/a`],
    ...['file:///etc/passwd', 'ftp://cdn.example/a', 'gopher://cdn.example/', 'data:text/plain,a', 'blob:null/x'],
    ...[
      'http://cdn.example/a',
      'https://cdn.example:8443/a',
      'https://cdn.example.evil/a',
      'https://cdn.example@evil/a',
    ],
    ...['', 'a', '//cdn.example/a', 'https://'],
  ]) {
    assert.equal(from.admits(other), false, other);
    await assert.rejects(read(from, other), { code: 'origin-failed' }, other);
  }
  assert.equal(from.admits('https://cdn.example:443/a'), true);
  assert.deepEqual(asked, []);
});

test('a name that means a private address is refused before anything connects', async (t) => {
  const made = await origin(t, { '/a': 'secret' });
  const named = `http://cdn.example:${new URL(made.url).port}`;
  const from = reader(t, [named], { allowsPrivate: false, resolve: resolvesTo('127.0.0.1') });
  await assert.rejects(read(from, `${named}/a`), /Expected a public address for cdn\.example/);
  assert.equal(made.connections, 0);
});

test('an address in the URL is refused like a name that means it', async (t) => {
  const made = await origin(t, { '/a': 'secret' });
  const { port } = new URL(made.url);
  const spellings = [
    '127.0.0.1',
    '0x7f.1',
    '2130706433',
    '0177.0.0.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '127.1',
  ];
  const origins = spellings.map((host) => new URL(`http://${host}:${port}`).origin);
  const from = reader(t, origins, { allowsPrivate: false });
  for (const host of spellings) await assert.rejects(read(from, `http://${host}:${port}/a`), /public address/, host);
  assert.equal(made.connections, 0);
});

test('the connection goes to the address that was checked: one look-up each', async (t) => {
  const made = await origin(t, { '/a': 'hello' });
  const named = `http://cdn.example:${new URL(made.url).port}`;
  let looks = 0;
  const from = reader(t, [named], {
    resolve: (hostname, options, done) => {
      looks++;
      // Whoever looked once more would be led elsewhere.
      resolvesTo(looks === 1 ? '127.0.0.1' : '169.254.169.254')(hostname, options, done);
    },
  });
  assert.equal((await bodyOf(await read(from, `${named}/a`))).toString(), 'hello');
  assert.equal(looks, 1);
  assert.equal(made.headers[0]?.host, new URL(named).host);
});

test('redirects within the listed origins are followed, three at most', async (t) => {
  const other = await origin(t, { '/end': 'there' });
  const { url, files } = await origin(t, { '/a': redirect('/b'), '/b': redirect(`${other.url}/end`) });
  const from = reader(t, [url, other.url]);
  const answer = await read(from, `${url}/a`);
  assert.equal((await bodyOf(answer)).toString(), 'there');
  assert.deepEqual([answer.url, answer.redirected], [`${other.url}/end`, true]);
  files.set('/loop', redirect('/loop'));
  await assert.rejects(read(from, `${url}/loop`), /more than 3 redirects/);
  files.set('/nowhere', redirect('http://'));
  await assert.rejects(read(from, `${url}/nowhere`), /redirects/);
});

test('a redirect out of the listed origins, or to a forbidden address or scheme, is not followed', async (t) => {
  const secret = await origin(t, { '/a': 'secret' });
  const { url, files } = await origin(t);
  const { port } = new URL(secret.url);
  const byName = `http://inside.example:${port}`;
  const named = `http://cdn.example:${new URL(url).port}`;
  const from = reader(t, [named, byName], {
    resolve: (hostname, options, done) =>
      resolvesTo(hostname === 'inside.example' ? '169.254.169.254' : '127.0.0.1')(hostname, options, done),
  });
  for (const target of [`${secret.url}/a`, `${byName}/a`, 'file:///etc/passwd', `http://a:b@cdn.example/`]) {
    files.set('/a', redirect(target));
    await assert.rejects(read(from, `${named}/a`), { code: 'origin-failed' }, target);
  }
  assert.deepEqual(secret.asked, []);
});

test('where redirects are not followed they are an answer', async (t) => {
  const { url, asked } = await origin(t, { '/a': redirect('/b'), '/b': 'hello' });
  const answer = await read(reader(t, [url]), `${url}/a`, { followsRedirects: false });
  answer.cancel();
  assert.equal(answer.status, 302);
  assert.deepEqual(asked, ['/a']);
});

test('what is encoded all the same is given as a browser has it', async (t) => {
  const body = Buffer.from(bytes(100_000));
  const encoded = {
    gzip: gzipSync(body),
    'X-GZIP': gzipSync(body),
    deflate: deflateSync(body),
    br: brotliCompressSync(body),
  };
  for (const [encoding, sent] of Object.entries(encoded)) {
    const { url } = await origin(t, {
      '/a': (_, response) => response.setHeader('content-encoding', encoding).end(sent),
    });
    assert.deepEqual(await bodyOf(await read(reader(t, [url]), `${url}/a`)), body, encoding);
  }
});

test('an unknown encoding, and one that is broken or cut short, is an error', async (t) => {
  const whole = gzipSync(Buffer.from(bytes(100_000)));
  const { url } = await origin(t, {
    '/unknown': (_, response) => response.setHeader('content-encoding', 'gzip, br').end('x'),
    '/broken': (_, response) => response.setHeader('content-encoding', 'gzip').end('no gzip'),
    '/cut': (_, response) => response.setHeader('content-encoding', 'gzip').end(whole.subarray(0, 5000)),
  });
  const from = reader(t, [url]);
  await assert.rejects(read(from, `${url}/unknown`), /unknown Content-Encoding gzip, br/);
  for (const path of ['/broken', '/cut'])
    await assert.rejects(async () => bodyOf(await read(from, url + path)), /header|unexpected end/, path);
});

test('an origin that stays silent, or drips, is left when the time is over', async (t) => {
  const { url } = await origin(t, {
    '/silent': () => undefined,
    '/drips': (_, response) => {
      const timer = setInterval(() => response.write('x'), 5);
      response.on('close', () => clearInterval(timer));
    },
  });
  const from = reader(t, [url]);
  await assert.rejects(read(from, `${url}/silent`, { timeoutMs: 50 }), { code: 'origin-failed' });
  await assert.rejects(async () => bodyOf(await read(from, `${url}/drips`, { timeoutMs: 100 })));
});

test('headers without end, and what is no HTTP, are errors', async (t) => {
  for (const [sent, what] of [
    [`HTTP/1.1 200 OK\r\n${`x-a: ${'a'.repeat(1000)}\r\n`.repeat(20)}\r\n`, 'headers'],
    ['SSH-2.0-OpenSSH_9.2\r\n', 'another protocol'],
    ['HTTP/1.1 200 OK\r\ncontent-length: 10\r\ntransfer-encoding: chunked\r\n\r\n', 'a smuggled length'],
  ] as const)
    await assert.rejects(
      read(reader(t, [await raw(t, sent)]), `${await raw(t, sent)}/a`),
      { code: 'origin-failed' },
      what,
    );
});

test('a body that ends before its length is an error', async (t) => {
  const url = await raw(t, 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort');
  await assert.rejects(async () => bodyOf(await read(reader(t, [url]), `${url}/a`)));
});

test('who asks can end it at any time', async (t) => {
  const { url } = await origin(t, { '/silent': () => undefined });
  const from = reader(t, [url]);
  const controller = new AbortController();
  const reading = read(from, `${url}/silent`, { signal: controller.signal });
  controller.abort(new Error('enough'));
  await assert.rejects(reading, /enough/);
  await assert.rejects(read(from, `${url}/silent`, { signal: controller.signal }), /enough/);
});

/** An origin that says just this to everybody, and hangs up. */
async function raw(t: TestContext, sent: string): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(sent));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
}

/** Reads from an origin that a child process trusts, by a name that means this machine. Prints what it got. */
const READS = `
import { OriginReader } from './server/digest-service/origin-reader.ts';
const [origin] = process.argv.slice(1);
const resolve = (_name, _options, done) => done(null, [{ address: '127.0.0.1', family: 4 }]);
const reader = new OriginReader({ origins: [origin], allowsPrivate: true, resolve });
const signal = new AbortController().signal;
const answer = await reader.read({ url: origin + '/a', followsRedirects: true, timeoutMs: 5000, signal });
let text = '';
for await (const chunk of answer.body) text += chunk;
console.log(answer.status, text);
reader.close();
`;

test('over TLS the name is resolved and pinned just so, and the certificate has to be its own, by one that is trusted', async (t) => {
  const folder = await folderOf(t);
  const { cert, key } = selfSigned(folder, 'cdn.example');
  const server = createHttpsServer({ cert: await readFile(cert), key: await readFile(key) }, (_request, response) =>
    response.end('hello'),
  );
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const [ours, others] = [`https://cdn.example:${port}`, `https://other.example:${port}`];
  const from = reader(t, [ours], { resolve: resolvesTo('127.0.0.1') });
  await assert.rejects(read(from, `${ours}/a`), /self-signed certificate/);
  const guarded = reader(t, [ours], { resolve: resolvesTo('127.0.0.1'), allowsPrivate: false });
  await assert.rejects(read(guarded, `${ours}/a`), { code: 'origin-failed' });
  const child = async (origin: string): Promise<string> => {
    const args = ['--import', 'tsx', '--input-type=module', '--eval', READS, origin];
    const { stdout } = await execFile(process.execPath, args, {
      cwd: packageRoot(),
      env: { ...process.env, NODE_EXTRA_CA_CERTS: cert },
    });
    return stdout;
  };
  assert.equal(await child(ours), '200 hello\n');
  await assert.rejects(child(others), /does not match certificate/);
});
