export declare const CHROMIUM_FLAGS: readonly string[];
export declare const AWAKE_FLAGS: readonly string[];
