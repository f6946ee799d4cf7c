import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { before, after } from 'node:test';
import type { Page } from 'playwright-core';
import { launchChromium, launchFirefox } from './browsers.ts';

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
    const channel = connection.createDataChannel('test');
    const received = new Promise((resolve) => (channel.onmessage = ({ data }) => resolve(data)));
    Object.assign(window, { connection, received });
    await connection.setLocalDescription();
    await new Promise<void>((resolve) => (connection.onicecandidate = ({ candidate }) => candidate ?? resolve()));
    return connection.localDescription!.sdp;
  });
  const answer = await pageB.evaluate(async (sdp) => {
    const connection = new RTCPeerConnection();
    connection.ondatachannel = ({ channel }) => (channel.onopen = () => channel.send('hello'));
    Object.assign(window, { connection });
    await connection.setRemoteDescription({ type: 'offer', sdp });
    await connection.setLocalDescription();
    await new Promise<void>((resolve) => (connection.onicecandidate = ({ candidate }) => candidate ?? resolve()));
    return connection.localDescription!.sdp;
  }, offer);
  assert.equal(await acceptAndReceive(pageA, answer), 'hello');
});

function acceptAndReceive(page: Page, sdp: string): Promise<unknown> {
  return page.evaluate(async (answer) => {
    const { connection, received } = window as unknown as { connection: RTCPeerConnection; received: Promise<unknown> };
    await connection.setRemoteDescription({ type: 'answer', sdp: answer });
    return received;
  }, sdp);
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
