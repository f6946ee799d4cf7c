/** Which of hls.js's two builds a stream needs. The light one (a third smaller) has no alternate audio, subtitles, variables or DRM. */
export type HlsModule = typeof import('hls.js');

/** Does this playlist use what only the full build can do? */
export function needsFullBuild(playlist: string): boolean {
  return (
    /^#EXT-X-MEDIA:(?=.*TYPE=(?:AUDIO|SUBTITLES))(?=.*\bURI=")/m.test(playlist) ||
    /^#EXT-X-DEFINE:/m.test(playlist) ||
    /^#EXT-X-(?:SESSION-)?KEY:.*METHOD=SAMPLE-AES/m.test(playlist)
  );
}

export const loadLightBuild = (): Promise<HlsModule> => import('hls.js/light');

export const loadFullBuild = (): Promise<HlsModule> => import('hls.js');

/** Without Media Source Extensions (Safari on an iPhone before 17.1) only the browser's own HLS is left, and hls.js need not be loaded. */
export const hasMediaSource = (): boolean => 'MediaSource' in globalThis || 'ManagedMediaSource' in globalThis;
