import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { before, after } from 'node:test';
import { launchChromium, launchFirefox } from './browsers.ts';
import { until } from './until.ts';

const server = createServer((_request, response) => {
  response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html><title>a page</title>');
});
let url = '';

before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});

test('two Chromiums are two processes, and their pages reach each other by WebRTC', async (t) => {
  const [a, b] = await Promise.all([launchChromium(), launchChromium()]);
  t.after(() => Promise.all([a.close(), b.close()]));
  assert.notEqual(a.pid, b.pid);
  const [pageA, pageB] = await Promise.all([a.newPage(), b.newPage()]);
  await Promise.all([pageA.goto(url), pageB.goto(url)]);
  const offer = await pageA.evaluate(async () => {
    const connection = new RTCPeerConnection();
    connection.createDataChannel('test').onmessage = ({ data }: { data: unknown }) =>
      Object.assign(window, { received: data });
    const gathered = new Promise<void>(
      (resolve) => (connection.onicecandidate = ({ candidate }) => candidate ?? resolve()),
    );
    Object.assign(window, { connection });
    await connection.setLocalDescription();
    await gathered;
    return connection.localDescription!.sdp;
  });
  const answer = await pageB.evaluate(async (sdp) => {
    const connection = new RTCPeerConnection();
    connection.ondatachannel = ({ channel }) => {
      if (channel.readyState === 'open') channel.send('hello');
      else channel.onopen = () => channel.send('hello');
    };
    const gathered = new Promise<void>(
      (resolve) => (connection.onicecandidate = ({ candidate }) => candidate ?? resolve()),
    );
    Object.assign(window, { connection });
    await connection.setRemoteDescription({ type: 'offer', sdp });
    await connection.setLocalDescription();
    await gathered;
    return connection.localDescription!.sdp;
  }, offer);
  await pageA.evaluate(async (sdp) => {
    await (window as unknown as Probe).connection.setRemoteDescription({ type: 'answer', sdp });
  }, answer);
  await until(
    'the message of the other page',
    async () => {
      const { received, state } = await pageA.evaluate(() => {
        const { received, connection } = window as unknown as Probe;
        return { received, state: connection.connectionState };
      });
      if (received === undefined) throw new Error(`nothing, and the connection is ${state}`);
      return received === 'hello';
    },
    { timeout: 30_000 },
  );
});

/** What the first page keeps for the test. */
interface Probe {
  readonly connection: RTCPeerConnection;
  readonly received?: unknown;
}

test('a killed Chromium is gone at once, and closing it afterwards is harmless', async () => {
  const browser = await launchChromium();
  const page = await browser.newPage();
  await page.goto(url);
  await browser.kill();
  assert.throws(() => process.kill(browser.pid, 0));
  await browser.close();
});

test('Firefox opens a page', async (t) => {
  const firefox = await launchFirefox();
  t.after(() => firefox.close());
  const page = await firefox.browser.newPage();
  await page.goto(url);
  assert.equal(await page.title(), 'a page');
});
