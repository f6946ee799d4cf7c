import type { MeshOptions } from '../mesh/index.ts';

/** Attributes of `<p2p-mesh>`, in the order of its documentation. */
export const MESH_ATTRIBUTES = [
  'signal',
  'manifest',
  'worker',
  'share',
  'exclude',
  'verify',
  'upload',
  'max-upload',
  'max-storage',
  'token',
  'consent',
  'ice-transport',
] as const;

export type MeshAttribute = (typeof MESH_ATTRIBUTES)[number];

export type MeshAttributes = Partial<Record<MeshAttribute, string>>;

/** The part of the Network Information API that `upload="wifi"` looks at. Chromium only; elsewhere all is undefined. */
export interface Connection {
  readonly type?: string | undefined;
  readonly saveData?: boolean | undefined;
}

/** What was understood. */
export interface MeshOptionsRead {
  readonly options: MeshOptions;
  /** One line for each attribute that was not understood, with the fix. Its default is used. */
  readonly warnings: readonly string[];
}

/** With what is used where they say nothing. */
const URL_ATTRIBUTES = [
  ['signal', "the page's own server"],
  ['manifest', '/p2p-manifest.json'],
  ['worker', '/p2p-sw.js'],
] as const;

const FACTORS: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9 };

/** What the attributes of `<p2p-mesh>` say. Never throws: an attribute that is not understood counts as not there. */
export function readMeshOptions(attributes: MeshAttributes, connection: Connection = {}): MeshOptionsRead {
  const options: MeshOptions = {};
  const warnings: string[] = [];
  const wrong = (name: MeshAttribute, expected: string, instead: string): unknown =>
    warnings.push(
      `<p2p-mesh ${name}="${attributes[name]?.slice(0, 100) ?? ''}"> is not understood: expected ${expected}. For now ${instead}.`,
    );

  for (const [name, usual] of URL_ATTRIBUTES) {
    const url = attributes[name];
    if (url === undefined) continue;
    if (isHttpUrl(url) || (name !== 'signal' && url === 'none')) options[name] = url;
    else wrong(name, `an http(s) URL${name === 'signal' ? '' : ' or "none"'}`, `${usual} is used`);
  }
  for (const name of ['share', 'exclude'] as const) {
    const patterns = attributes[name]?.split(/\s+/).filter((pattern) => pattern !== '');
    if (patterns === undefined) continue;
    if (patterns.every(isPattern)) options[name] = patterns;
    else {
      // Who writes a list means to keep something back: an unknown pattern errs on that side.
      options.share = [];
      wrong(name, 'URL patterns with blanks between them, such as "/media/* /fonts/*"', 'nothing is shared');
    }
  }
  const { upload, verify, 'max-upload': rate, 'max-storage': size } = attributes;
  if (verify === 'required' || verify === 'none') options.verify = verify;
  else if (verify !== undefined) wrong('verify', '"required" or "none"', 'it counts as "required"');
  if (upload === 'on' || upload === 'off') options.upload = upload === 'on';
  else if (upload === 'wifi') options.upload = isUnmetered(connection);
  else if (upload !== undefined) wrong('upload', '"on", "wifi" or "off"', 'it counts as "on"');
  if (rate !== undefined) {
    const bitsPerSecond = parseRate(rate);
    if (bitsPerSecond !== null) options.maxUpload = bitsPerSecond;
    else wrong('max-upload', 'bits per second, such as "5mbps" or "800kbps"', 'upload is not capped');
  }
  if (size !== undefined) {
    const bytes = parseSize(size);
    if (bytes !== null) options.maxStorage = bytes;
    else wrong('max-storage', 'bytes, such as "200mb" or "1gb", or "none"', 'up to 2 GiB are kept');
  }
  readCautiously(attributes, options, wrong);
  return { options, warnings };
}

/** Who writes one of these means to be careful: what is not understood errs on that side. */
function readCautiously(
  { consent, token, 'ice-transport': transport }: MeshAttributes,
  options: MeshOptions,
  wrong: (name: MeshAttribute, expected: string, instead: string) => unknown,
): void {
  if (token !== undefined) options.token = token.trim();
  if (consent !== undefined) {
    options.consentRequired = true;
    if (consent !== 'required') wrong('consent', '"required"', 'it counts as that');
  }
  if (transport !== undefined && transport !== 'all') {
    options.iceTransport = 'relay';
    if (transport !== 'relay') wrong('ice-transport', '"relay" or "all"', 'it counts as "relay"');
  }
}

/** Bits per second of "5mbps", "800kbps", "64000bps"; null: not a rate. */
export function parseRate(text: string): number | null {
  const bitsPerSecond = amountOf(text, 'bps');
  return bitsPerSecond > 0 ? bitsPerSecond : null;
}

/** Bytes of "200mb", "1.5gb", "64000b", and 0 of "none" and "0"; null: not a size. */
export function parseSize(text: string): number | null {
  if (/^\s*(none|0)\s*$/.test(text)) return 0;
  const bytes = amountOf(text, 'b');
  return bytes >= 0 ? bytes : null;
}

/** NaN: not an amount of that. */
function amountOf(text: string, unit: 'bps' | 'b'): number {
  const pattern = new RegExp(`^\\s*(\\d{1,9}(?:\\.\\d{1,9})?)\\s*([kmg]?)${unit}\\s*$`, 'i');
  const [, amount, factor = ''] = pattern.exec(text) ?? [];
  return Number(amount) * (FACTORS[factor.toLowerCase()] ?? NaN);
}

/** Where the browser does not tell what line it is on (most desktops), the line counts as unmetered. */
const isUnmetered = ({ type, saveData }: Connection): boolean => type !== 'cellular' && saveData !== true;

/** Where the browser knows no patterns none can be followed. */
function isPattern(text: string): boolean {
  try {
    return Boolean(new URLPattern(text, 'https://page.invalid/'));
  } catch {
    return false;
  }
}

function isHttpUrl(text: string): boolean {
  const base = 'https://page.invalid/';
  return text.trim() !== '' && URL.canParse(text, base) && /^https?:$/.test(new URL(text, base).protocol);
}

/** What a `<p2p-mesh>` says, upgraded or not. */
export const meshOptionsOf = (element: Element): MeshOptionsRead =>
  readMeshOptions(attributesOf(element), connectionOf(navigator));

function attributesOf(element: Element): MeshAttributes {
  const attributes: MeshAttributes = {};
  for (const name of MESH_ATTRIBUTES) {
    const value = element.getAttribute(name);
    if (value !== null) attributes[name] = value;
  }
  return attributes;
}

/** The Network Information API is in no standard that TypeScript's DOM types follow. */
const connectionOf = (from: Navigator & { connection?: Connection }): Connection => from.connection ?? {};
