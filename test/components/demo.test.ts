/** The demo page as text: what a strict Content-Security-Policy allows, and nothing that is not there. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const read = (name: string): string => readFileSync(new URL(`../../demo/${name}`, import.meta.url), 'utf8');
/** Without the code that it shows. */
const html = read('index.html').replace(/<code>[^]*?<\/code>/g, '');
const script = read('demo.js');

const all = (pattern: RegExp, text: string): string[] => [...text.matchAll(pattern)].map((match) => match[1] ?? '');

test('the page has no inline script, style or handler', () => {
  assert.deepEqual(all(/<script(?![^>]*\ssrc=)([^>]*)>/g, html), []);
  assert.doesNotMatch(html, /<style|\sstyle=|\son[a-z]+=|javascript:/);
});

test('the page asks for nothing from elsewhere', () => {
  for (const url of all(/\s(?:src|href)="([^"]*)"/g, html)) assert.match(url, /^\/(?!\/)/, url);
});

test('what the page links to of its own is there', () => {
  const own = all(/\s(?:src|href)="(\/[\w./-]+)"/g, html).filter((url) => !url.startsWith('/p2p-elements/'));
  assert.ok(own.length > 4);
  for (const url of own) assert.ok(existsSync(new URL(`../../demo${url}`, import.meta.url)), url);
  for (const url of all(/'\/(media\/[^']*)'/g, script))
    assert.ok(existsSync(new URL(`../../demo/${url}`, import.meta.url)), url);
});

test('the script finds what it looks for', () => {
  const ids = all(/'#([\w-]+)'/g, script);
  assert.ok(ids.length >= 4);
  for (const id of ids) assert.match(html, new RegExp(`id="${id}"`), id);
});

test('the script uses public entries only: it imports nothing', () => {
  assert.doesNotMatch(script, /\bimport\b\s*[({'"*]/);
});

test('every picture has a text for who can’t see it, and its place is kept', () => {
  const pictures = all(/<p2p-img([^>]*)>/g, html);
  assert.equal(pictures.length, 2);
  for (const attributes of pictures) assert.match(attributes, /\salt="[^"]+"[^]*\swidth="\d+"[^]*\sheight="\d+"/);
});
