import { LOTS } from '../../protocol/beacon.ts';
import { P2PError } from '../../protocol/error.ts';
import type { EngineOptions, SharePatterns } from '../../protocol/page.ts';
import { swarmOfName } from '../../protocol/swarm.ts';
import type { MeshOptions } from './types.ts';

/** Of `localStorage`. */
export const LOT_ITEM = 'p2p-lot';

/** What the engine gets to know, and the service worker's script (null: none), from what the author said; what is wrong falls back to the default. */
export function engineOptions(options: MeshOptions): {
  options: EngineOptions;
  worker: string | null;
  warnings: readonly P2PError[];
} {
  const warnings: P2PError[] = [];
  const webrtc = typeof RTCPeerConnection !== 'undefined';
  if (!webrtc)
    warnings.push(
      new P2PError(
        'webrtc-unavailable',
        'This browser has no WebRTC, or it is switched off: everything comes from the origin.',
      ),
    );
  const url = (name: string, value: string | undefined, preset: string): string => {
    const given = value ?? preset;
    if (URL.canParse(given, document.baseURI)) {
      const { href, protocol } = new URL(given, document.baseURI);
      if (protocol === 'http:' || protocol === 'https:') return href;
    }
    warnings.push(
      new P2PError('bad-url', `<p2p-mesh ${name}="${given}"> is not an http(s) URL; "${preset}" is used.`, {
        [name]: given,
      }),
    );
    return new URL(preset, location.origin).href;
  };
  return {
    options: {
      webOrigin: location.origin,
      home: swarmOfName(location.origin),
      signal: new URL(url('signal', options.signal, '/')).origin,
      manifest: options.manifest === 'none' ? null : url('manifest', options.manifest, '/p2p-manifest.json'),
      upload: options.upload ?? true,
      maxUpload: options.maxUpload ?? null,
      maxStorage: options.maxStorage ?? null,
      share: webrtc && options.consentRequired !== true,
      patterns: options.share || options.exclude ? sharePatterns(options.share ?? null, options.exclude ?? []) : null,
      sharesUnverified: options.verify === 'none',
      relayOnly: options.iceTransport === 'relay',
      lot: lot(),
      debug: debugNamespaces(),
    },
    worker: options.worker === 'none' ? null : url('worker', options.worker, '/p2p-sw.js'),
    warnings,
  };
}

/** Where all patterns mean the same on each page they have the same base, for tabs that want the same share an engine. */
function sharePatterns(share: readonly string[] | null, exclude: readonly string[]): SharePatterns {
  const isRooted = [...(share ?? []), ...exclude].every((pattern) => /^(\/|[a-z][a-z+.-]*:)/i.test(pattern));
  return { share, exclude, base: isRooted ? new URL('/', document.baseURI).href : document.baseURI };
}

/** Drawn once for each browser, where it can be kept. */
function lot(): number {
  const drawn = Math.floor(Math.random() * LOTS);
  try {
    const kept = parseInt(localStorage[LOT_ITEM] as string);
    return kept >= 0 && kept < LOTS ? kept : (localStorage[LOT_ITEM] = drawn);
  } catch {
    return drawn; // Storage is forbidden here.
  }
}

/** As the `debug` package reads them. */
function debugNamespaces(): string {
  try {
    return localStorage.getItem('debug') ?? '';
  } catch {
    return ''; // Storage is forbidden here.
  }
}
