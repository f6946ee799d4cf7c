/** Web origins that may read what the server gives out, or `*`: all of them. */
export type AllowedOrigins = '*' | readonly string[];
