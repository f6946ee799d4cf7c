export declare function processes(): { readonly pid: number; readonly args: string }[];
export declare function isAlive(pid: number): boolean;
