import type { MeshOptions } from '../mesh/index.ts';

/** Attributes of `<p2p-mesh>`, in the order of its documentation. */
export const MESH_ATTRIBUTES = ['signal', 'manifest', 'worker', 'upload', 'max-upload', 'consent'] as const;

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

const RATE_UNITS: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9 };

/** What the attributes of `<p2p-mesh>` say. Never throws: an attribute that is not understood counts as not there. */
export function readMeshOptions(attributes: MeshAttributes, connection: Connection = {}): MeshOptionsRead {
  const options: MeshOptions = {};
  const warnings: string[] = [];
  const { signal, manifest, worker, upload, consent } = attributes;

  if (signal !== undefined) {
    if (isHttpUrl(signal)) options.signal = signal;
    else warnings.push(wrong('signal', signal, 'the http(s) URL of the signaling server, such as "https://mesh.example"', "the page's own server is asked"));
  }
  if (manifest !== undefined) {
    if (manifest === 'none' || isHttpUrl(manifest)) options.manifest = manifest;
    else warnings.push(wrong('manifest', manifest, 'the http(s) URL of a p2p-manifest.json, or "none"', '/p2p-manifest.json is used'));
  }
  if (worker !== undefined) {
    if (worker === 'none' || isHttpUrl(worker)) options.worker = worker;
    else warnings.push(wrong('worker', worker, 'the URL of p2p-sw.js on this web origin, or "none"', '/p2p-sw.js is used'));
  }
  if (upload !== undefined) {
    if (upload === 'on' || upload === 'off') options.upload = upload === 'on';
    else if (upload === 'wifi') options.upload = isUnmetered(connection);
    else warnings.push(wrong('upload', upload, '"on", "wifi" or "off"', 'it counts as "on"'));
  }
  const rate = attributes['max-upload'];
  if (rate !== undefined) {
    const bitsPerSecond = parseRate(rate);
    if (bitsPerSecond !== null) options.maxUpload = bitsPerSecond;
    else warnings.push(wrong('max-upload', rate, 'a rate in bits per second, such as "5mbps" or "800kbps"', 'upload is not capped'));
  }
  if (consent !== undefined) {
    // Who writes a consent attribute at all means to ask first: an unknown value errs on that side.
    options.consentRequired = true;
    if (consent !== 'required') warnings.push(wrong('consent', consent, '"required"', 'it counts as "required": nothing is shared before mesh.consent() is called'));
  }
  return { options, warnings };
}

/** Bits per second of "5mbps", "800kbps", "64000bps"; null: not a rate. */
function parseRate(text: string): number | null {
  const match = /^\s*(\d{1,9}(?:\.\d{1,9})?)\s*([kmg]?)bps\s*$/i.exec(text);
  const [, amount, unit] = match ?? [];
  const bitsPerSecond = Number(amount) * (RATE_UNITS[(unit ?? '').toLowerCase()] ?? NaN);
  return bitsPerSecond > 0 ? bitsPerSecond : null;
}

/** Where the browser does not tell what line it is on (most desktops), the line counts as unmetered. */
const isUnmetered = ({ type, saveData }: Connection): boolean => type !== 'cellular' && saveData !== true;

function isHttpUrl(text: string): boolean {
  const base = 'https://page.invalid/';
  return text.trim() !== '' && URL.canParse(text, base) && /^https?:$/.test(new URL(text, base).protocol);
}

const wrong = (attribute: MeshAttribute, got: string, expected: string, instead: string): string =>
  `<p2p-mesh ${attribute}="${got.slice(0, 100)}"> is not understood: expected ${expected}. For now ${instead}.`;
