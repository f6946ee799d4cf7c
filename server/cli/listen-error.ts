/** Why the server can't run, in words for its operator; the CLI prints it and ends with 1. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/** What to do about an error of `listen` (Node's `code`). Errors that we have no advice for stay as they are. */
export function listenError(error: unknown, port: number, host: string | undefined): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'EADDRINUSE':
      return new StartError(
        `Port ${port} is taken by another program. Stop that one, or choose another port: --port ${port < 65_535 ? port + 1 : 8080}`,
      );
    case 'EACCES':
      return new StartError(`Port ${port} is not allowed to this user. Choose one above 1023: --port 8080`);
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new StartError(
        `${host ?? 'The address'} is not an address of this machine. Leave --host away to listen on all of them.`,
      );
    default:
      return error;
  }
}
